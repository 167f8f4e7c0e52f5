"""How long a frame takes: the tiers beside ``TransformerNet``, in turns within one run.

    python tests/benchmarks/network_speed.py [--size 1280x720] [--rounds 8]

Weights do not matter for the time: the networks are fresh ones. Median of all rounds in ms, and the
ratio to ``TransformerNet`` with 32 channels.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from nst.export import build_graph
from nst.infer.devices import available_devices, choose_device
from nst.infer.graph import SILENT
from nst.models import TIERS, TransformerNet, build_net

FRAMES_PER_TURN = 2


def session(model: Path, device: str) -> onnxruntime.InferenceSession:
    """Threads that stop when their turn ends, or they would slow down the others."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.force_spinning_stop", "1")
    choice = choose_device(device)
    if choice.plugin_devices:
        options.add_provider_for_devices(choice.plugin_devices, {})
    return onnxruntime.InferenceSession(model, options, providers=choice.providers or None)


def main() -> None:
    """Print one line per network and device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720", help="width x height of a frame")
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    frame = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    torch.manual_seed(0)
    nets = {
        "TransformerNet": TransformerNet(),
        **{name: build_net(each) for name, each in TIERS.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, net in nets.items():
            graph = build_graph(net.eval()).SerializeToString()
            Path(folder, name).write_bytes(graph)
        for device in available_devices():
            runs = {name: session(Path(folder, name), device) for name in nets}
            times: dict[str, list[float]] = {name: [] for name in nets}
            for turn in range(arguments.rounds + 1):
                for name, run in runs.items():
                    start = time.perf_counter()
                    for _ in range(FRAMES_PER_TURN):
                        run.run(None, {"image": frame})
                    if turn:  # The first one allocates.
                        times[name].append((time.perf_counter() - start) / FRAMES_PER_TURN)
            base = statistics.median(times["TransformerNet"])
            for name, values in times.items():
                median = statistics.median(values)
                print(f"{device:9s} {name:15s} {1000 * median:7.1f} ms  {median / base:.4f}")


if __name__ == "__main__":
    main()
