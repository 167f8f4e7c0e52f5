"""How much of the cores a video uses: decoding, network and encoding alone, and all at once.

    python tests/benchmarks/video_throughput.py [--style NAME] [--size 1280x720] [--device cpu]
        [--awake]

Decodes, stylizes and encodes the frames of a clip one stage after the other, then all at once as
``nst-infer CLIP`` does it. Prints milliseconds of a core for a frame in each stage, frames per
second of all at once, and its share of what the cores allow: seconds of a core of the stages /
(cores x seconds of all at once). Needs Linux: seconds that other programs of normal priority had of
the cores meanwhile do not count. ``--awake`` is for virtual machines, see ``awake.py``.
"""

import argparse
import os
import resource
import tempfile
import time
from contextlib import closing
from pathlib import Path

import av
import numpy as np
from awake import cores_awake
from PIL import Image

from nst.infer import Stylizer, Treatment
from nst.infer.jobs.batch import usable_cores
from nst.infer.styles import packaged_photo
from nst.infer.video.clip import ClipOutcome, ClipSettings, open_writer, stylize_clip
from nst.infer.video.copied import CopiedStreams
from nst.infer.video.formats import find_encoder
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.reader import VideoReader

RATE = 30


def make_clip(path: Path, size: tuple[int, int], frames: int) -> None:
    """A slow move over the photo that comes with the package, as H.264."""
    original = packaged_photo()
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            box = (number, number / 2, original.width - frames + number, original.height - frames)
            picture = original.convert("RGB").resize(size, Image.Resampling.BICUBIC, box=box)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), "rgb24")))
        out.mux(stream.encode())


def settings_for(device: str, cores: int) -> ClipSettings:
    """What ``nst-infer`` uses without any flag."""
    return ClipSettings(
        treatment=Treatment(),
        steady=None,
        codec=None,
        crf=None,
        rate=None,
        start_s=None,
        end_s=None,
        max_pixels=10**9,
        workers=cores if device == "cpu" else 1,
        cores=cores,
    )


class Clock:
    """Seconds, and seconds of a core of this process and of all others, since it was made."""

    def __init__(self) -> None:
        self._start, self._own, self._all = time.perf_counter(), own_seconds(), all_seconds()

    def seconds(self) -> float:
        """Since then."""
        return time.perf_counter() - self._start

    def core_seconds(self) -> float:
        """Of this process, since then."""
        return own_seconds() - self._own

    def available(self, cores: int) -> float:
        """Seconds of a core that others did not take, since then."""
        others = all_seconds() - self._all - self.core_seconds()
        return cores * self.seconds() - max(0.0, others)


def own_seconds() -> float:
    """Of a core, of all threads of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def all_seconds() -> float:
    """Of all cores in which they were busy, with anything but what gives way (nice)."""
    user, _, system, _, _, *interrupts = Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
    ticks = sum(map(int, (user, system, *interrupts)))
    return ticks / os.sysconf("SC_CLK_TCK")


def time_stages(clip: Path, stylizer: Stylizer, settings: ClipSettings) -> dict[str, float]:
    """Seconds of a core for a frame in each stage, one after the other."""
    with closing(VideoReader(clip, threads=settings.cores)) as reader:
        clock = Clock()
        frames: list[TimedFrame] = []
        while (frame := reader.read()) is not None:
            frames.append(frame)
        spent = {"decode": clock.core_seconds()}
        stylizer(frames[0].pixels)  # the first one allocates
        clock = Clock()
        painted = [frame._replace(pixels=stylizer(frame.pixels)) for frame in frames]
        spent["network"] = clock.core_seconds()
        target = clip.with_name("alone.mp4")
        encoder = find_encoder(None, target)
        with closing(CopiedStreams(clip, target, start_s=None, end_s=None)) as copied:
            clock = Clock()
            writer = open_writer(target, target, reader, encoder, copied, settings)
            for each in painted:
                writer.write(each)
            writer.close()
            spent["encode"] = clock.core_seconds()
    return {name: each / len(frames) for name, each in spent.items()}


def measure(
    clip: Path, style: str, device: str, cores: int
) -> tuple[dict[str, float], float, float]:
    """The stages, and frames per second and the share of the cores with all of them at once."""
    settings = settings_for(device, cores)
    threads = 1 if device == "cpu" else None
    stylizer = Stylizer(style, threads=threads, device=device)
    stages = time_stages(clip, stylizer, settings)
    outcome = ClipOutcome(clip, clip.with_name("whole.mp4"), stylizer.style)
    clock = Clock()
    stylize_clip(outcome, stylizer, settings)
    share = sum(stages.values()) * outcome.frames / clock.available(cores)
    return stages, outcome.frames / clock.seconds(), share


def measure_all(arguments: argparse.Namespace) -> None:
    """Print a line per size, device and round."""
    cores = usable_cores()
    print(f"milliseconds of a core for a frame; {cores} cores")
    print("size        device     decode  network  encode  frames/s  share")
    for size in arguments.size:
        width, height = map(int, size.split("x"))
        for device in arguments.device:
            with tempfile.TemporaryDirectory() as folder:
                clip = Path(folder) / "clip.mp4"
                make_clip(clip, (width, height), arguments.frames)
                for _ in range(arguments.rounds):
                    stages, speed, share = measure(clip, arguments.style, device, cores)
                    decode, network, encode = (1000 * each for each in stages.values())
                    print(
                        f"{size:11} {device:10} {decode:6.1f} {network:8.1f} {encode:7.1f} "
                        f"{speed:9.1f} {share:6.0%}",
                        flush=True,
                    )


def main() -> None:
    """Read the flags and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", default="starry_night", help="a name or an ONNX file")
    parser.add_argument("--size", nargs="+", default=["1280x720"], help="width x height")
    parser.add_argument("--device", nargs="+", default=["cpu"], help="such as cpu or openvino")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--awake", action="store_true", help="keep all cores busy")
    arguments = parser.parse_args()
    with cores_awake(arguments.awake):
        measure_all(arguments)


if __name__ == "__main__":
    main()
