"""The live loop without camera and screen: frames per second, latency, drops, memory.

    PYTHONPATH=tests/helpers python tests/benchmarks/live_loop.py [--seconds 20] [--awake]
        [--case 640x480@30] [--tier realtime] [--figure FILE]

Runs the whole loop, with the readings drawn on each frame, for each device there is: at 640x480
with 30 frames/s, as a camera gives them, and at 640x480 and 1280x720 with more frames than can be
stylized. Before and after it the network runs alone: its frames per second say how fast the
machine was. Latency is the age of a frame when it is shown. Memory and latency are compared from
one tenth of the run to its end; ``--case 640x480@30 --seconds 600`` is for that. ``--tier`` runs a
network of that tier with fresh weights, which do not matter for the time. ``--awake`` is for
virtual machines, see ``awake.py``.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import onnx
from awake import cores_awake
from live_parts import MovingPicture

from nst.export import build_graph
from nst.infer.engine.devices import available_devices
from nst.infer.engine.frames import Frame
from nst.infer.live.capture import Capture
from nst.infer.live.loop import LiveLoop
from nst.infer.live.paced import Paced
from nst.infer.live.painter import Painter
from nst.infer.live.style_bank import StyleBank
from nst.infer.live.view import View
from nst.infer.styles import as_named
from nst.infer.stylizer import Stylizer
from nst.infer.video.protocol import TimedFrame
from nst.models import TIERS, build_net

CAMERA_FPS = 30
MORE_FPS = 200
"""More than can be stylized."""

MOST_GROWTH_MB = 20.0
ALONE_S = 3.0
SETTLED = 0.1
"""Of the run, after which its memory should not grow."""


class Case(NamedTuple):
    """What is run: the size of the frames, and how many come in a second."""

    width: int
    height: int
    fps: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}" + (f"@{self.fps}" if self.fps != MORE_FPS else "")

    @classmethod
    def parse(cls, text: str) -> "Case":
        """What ``str`` makes of it."""
        size, _, fps = text.partition("@")
        width, height = map(int, size.split("x"))
        return cls(width, height, int(fps or MORE_FPS))


CASES = (Case(640, 480, CAMERA_FPS), Case(640, 480, MORE_FPS), Case(1280, 720, MORE_FPS))
LEAST_FPS = {
    ("openvino", CASES[1]): 60,
    ("cpu", CASES[1]): 22,
    ("openvino", CASES[2]): 25,
    ("cpu", CASES[2]): 8,
}
MOST_P95_MS = {("openvino", CASES[0]): 60}


class Audience:
    """A screen that notes the ages of frames, and quits.

    Args:
        seconds: after which it does.
    Attributes:
        ages_ms: of each frame when it was shown.
        times_s: when that was.
        memory_mb: of the process at these times.
    """

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds
        self.ages_ms: list[float] = []
        self.times_s: list[float] = []
        self.memory_mb: list[float] = []

    def write(self, frame: TimedFrame) -> None:
        now_s = time.monotonic()
        self.ages_ms.append(1000 * (now_s - frame.time_s))
        self.times_s.append(now_s)
        self.memory_mb.append(resident_mb())

    def key(self) -> str:
        return "q" if time.monotonic() >= self._end_s else ""

    def toggle_full_screen(self) -> None:
        """There is no screen."""

    def close(self) -> None:
        """There is nothing to close."""


class Result(NamedTuple):
    """What was measured.

    Attributes:
        fps: frames per second that were shown.
        alone_fps: frames per second of the network with nothing around it.
        ages_ms: of each frame when it was shown.
        dropped: frames that never were.
        growth_mb: of the memory of the process.
        growth_ms: of the ages.
    """

    fps: float
    alone_fps: float
    ages_ms: list[float]
    dropped: int
    growth_mb: float
    growth_ms: float

    def percentile(self, percent: int) -> float:
        """Of the ages."""
        return statistics.quantiles(self.ages_ms, n=100, method="inclusive")[percent - 1]


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run_case(case: Case, device: str, style: str, seconds: float) -> Result:
    """Run the loop for so many seconds."""
    bank = StyleBank([as_named(style)], lambda path: Stylizer(path, device=device))
    painter = Painter(bank)
    picture = MovingPicture((case.width, case.height), case.fps)
    first = picture.read()
    assert first is not None
    for _ in range(3):  # the first frames load code and compile
        painter(first.pixels)
    alone_fps = time_alone(painter, first.pixels)
    audience = Audience(seconds)
    capture = Capture(Paced(picture))
    loop = LiveLoop(
        capture, painter, device=device, on_saved=print, screen=audience, view=View(mirror=True)
    )
    loop.run()
    capture.close()
    alone_fps = (alone_fps + time_alone(painter, first.pixels)) / 2
    painter.close()
    taken_s = audience.times_s[-1] - audience.times_s[0]
    fps = (len(audience.times_s) - 1) / taken_s
    growth = (growth_of(audience.memory_mb), growth_of(audience.ages_ms))
    return Result(fps, alone_fps, audience.ages_ms, capture.dropped, *growth)


def growth_of(readings: Sequence[float]) -> float:
    """From one tenth of a run to its end, medians of a tenth of what was read."""
    settled = readings[int(SETTLED * len(readings)) :]
    tail = len(settled) // 10 or 1
    return statistics.median(settled[-tail:]) - statistics.median(settled[:tail])


def time_alone(painter: Painter, frame: Frame) -> float:
    """Frames per second without a loop."""
    begin_s, frames = time.perf_counter(), 0
    while time.perf_counter() - begin_s < ALONE_S:
        painter(frame)
        frames += 1
    return frames / (time.perf_counter() - begin_s)


def as_line(device: str, case: Case, result: Result, *, realtime: bool) -> str:
    """The result and its aims, of which most are for the realtime tier."""
    p95_ms = result.percentile(95)
    line = (
        f"{device:9} {case!s:11} {result.fps:6.1f} frames/s, alone {result.alone_fps:6.1f}   "
        f"latency {result.percentile(50):4.0f} / {p95_ms:4.0f} / {max(result.ages_ms):4.0f} ms   "
        f"{result.dropped:5} dropped   {result.growth_mb:+5.1f} MB  {result.growth_ms:+4.0f} ms"
    )
    aims = []
    if realtime and (device, case) in LEAST_FPS:
        least = LEAST_FPS[device, case]
        aims.append(f"at least {least} frames/s: {verdict(result.fps >= least)}")
    if realtime and (device, case) in MOST_P95_MS:
        most = MOST_P95_MS[device, case]
        aims.append(f"p95 at most {most} ms: {verdict(p95_ms <= most)}")
    aims.append(f"at most +{MOST_GROWTH_MB:g} MB: {verdict(result.growth_mb <= MOST_GROWTH_MB)}")
    return f"{line}   ({', '.join(aims)})"


def verdict(met: bool) -> str:
    """Whether an aim is met, in a word."""
    return "met" if met else "MISSED"


def draw_figure(path: Path, results: Sequence[tuple[str, Case, Result]]) -> None:
    """Histograms of the latency, one above the other."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        len(results), figsize=(8, 2 * len(results)), layout="constrained", squeeze=False
    )
    for axis, (device, case, result) in zip(axes[:, 0], results, strict=True):
        axis.hist(result.ages_ms, bins=60)
        axis.axvline(result.percentile(95), color="black", linestyle="--", label="p95")
        axis.set_title(f"{device}, {case}", loc="left", fontsize="medium")
        axis.set_ylabel("frames")
        axis.set_xlim(left=0)
        axis.legend()
    axes[-1, 0].set_xlabel("age of a frame when it is shown, ms")
    figure.savefig(path, dpi=120)


def read_arguments() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--style", default="starry_night", help="a name or an ONNX file")
    network.add_argument("--tier", choices=TIERS, help="a fresh network")
    parser.add_argument("--seconds", type=float, default=20, help="of each case")
    parser.add_argument("--device", action="append", help="may be repeated; default: cpu, openvino")
    parser.add_argument(
        "--case", action="append", type=Case.parse, metavar="WxH[@FPS]", help="may be repeated"
    )
    parser.add_argument("--awake", action="store_true", help="keep all cores busy")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="histograms of the latency")
    return parser.parse_args()


def run_all(arguments: argparse.Namespace, style: str) -> list[tuple[str, Case, Result]]:
    """Run all cases on all devices, and print a line for each."""
    devices = arguments.device or [
        each for each in ("cpu", "openvino") if each in available_devices()
    ]
    results = []
    realtime = arguments.tier in (None, "realtime")
    print("latency: median / 95th percentile / longest")
    for device in devices:
        for case in arguments.case or CASES:
            result = run_case(case, device, style, arguments.seconds)
            results.append((device, case, result))
            print(as_line(*results[-1], realtime=realtime), flush=True)
    return results


def main() -> None:
    """Print a line for each device and case."""
    arguments = read_arguments()
    with tempfile.TemporaryDirectory() as folder, cores_awake(arguments.awake):
        style = arguments.style
        if arguments.tier:
            style = str(Path(folder, f"{arguments.tier}.onnx"))
            onnx.save(build_graph(build_net(TIERS[arguments.tier]).eval()), style)
        results = run_all(arguments, style)
    if arguments.figure:
        draw_figure(arguments.figure, results)


if __name__ == "__main__":
    main()
