"""Frames per second of the page in the browser: WebAssembly, a camera of 320x240.

    PYTHONPATH=tests/helpers python tests/benchmarks/browser_speed.py [--seconds 10]

The network is that of ``--config realtime``, fresh: weights do not matter for the time. Headless
Chromium with its fake camera, and the page's own counter: the whole way of a frame. Prints one line
and ends where Chromium or Node.js is missing.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

import torch
from browser import FAKE_CAMERA, drive, served
from node_packages import MissingError, browser, node_modules, tool

from nst.export import export_onnx
from nst.export.web.site import build_site
from nst.models import TIERS, TrainedNet, build_net

WARM_S = 5


def rates_of_page(folder: Path, runtime: Path, *, seconds: int) -> tuple[list[float], str]:
    """The counter of the page, once a second, and what the page says it runs on."""
    torch.manual_seed(0)
    net = build_net(TIERS["realtime"]).eval()
    export_onnx(TrainedNet(net, style="realtime", training={}), folder / "realtime.onnx")
    build_site([folder / "realtime.onnx"], folder / "site", runtime=runtime)
    with served(folder / "site") as url:
        answer = drive(
            "speed", f"{url}?engine=wasm", flags=FAKE_CAMERA, warm=WARM_S, seconds=seconds
        )
    assert answer["status"].startswith("Camera on, 320 "), answer
    return [float(rate.split()[0]) for rate in answer["rates"]], answer["engine"]


def main() -> None:
    """Print the median, and the slowest and fastest second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    try:
        browser()
        tool("node")
        runtime = node_modules("playwright-core", "onnxruntime-web") / "onnxruntime-web"
    except MissingError as error:
        print(f"browser: not measured, {error}")
        return
    with tempfile.TemporaryDirectory() as folder:
        rates, engine = rates_of_page(Path(folder), runtime, seconds=arguments.seconds)
    print(
        f"browser: {statistics.median(rates):.1f} frames/s of 320x240 "
        f"({min(rates):.1f} to {max(rates):.1f}), {engine}, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
