"""``nst-optimize`` beside the command ``pastiche``: seconds and loss, in turns in one run.

Both optimise the same photo at the same size with L-BFGS, the same number of steps, VGG-19 and the
same loss, which is pastiche's own: ``nst-optimize`` is given its weights. The pictures are scaled
beforehand, so that both get the same pixels. Whole processes are timed. Both results are then
judged by pastiche, in float32, as the bytes that were written.

Run it with ``python tests/benchmarks/optimize_speed.py``.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pastiche.pastiche import PasticheArtist
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT / "train" / "content" / "picos_de_europa.jpg"
PAINTING = ROOT / "demo" / "paintings" / "road_to_tarascon.jpg"
CHANNELS = (64, 128, 256, 512, 512)
LAYER_WEIGHTS = ",".join(str(10 / channels**2) for channels in CHANNELS)
"""pastiche averages the squared difference of Gram matrices and weighs it with 10 / C^2."""


def scaled(path: Path, folder: Path, *, size: int) -> Path:
    """A PNG of a picture whose longer side is ``size``."""
    with Image.open(path) as picture:
        factor = size / max(picture.size)
        sides = (round(picture.width * factor), round(picture.height * factor))
        target = folder / f"{path.stem}.png"
        picture.convert("RGB").resize(sides, Image.Resampling.LANCZOS).save(target)
    return target


def pastiche_command(photo: Path, painting: Path, out: Path, *, size: int, steps: int) -> list[str]:
    """As its user types it."""
    return [
        *("pastiche", "-c", str(photo), "-s", str(painting), "-o", str(out)),
        *("--size", str(size), "--style-size", str(size), "--num-steps", str(steps)),
        *("--device", "cpu"),
    ]


def our_command(photo: Path, painting: Path, out: Path, *, size: int, steps: int) -> list[str]:
    """The same loss, at one scale, as pastiche has it."""
    return [
        *("nst-optimize", str(photo), str(painting), "-o", str(out), "--overwrite"),
        *("--size", str(size), "--style-size", str(size), "--steps", str(steps), "--scales", "1"),
        *("--form", "johnson", "--content-weight", "0.01", "--style-weight", "1"),
        *("--style-layer-weights", LAYER_WEIGHTS, "--every", str(steps), "--device", "cpu"),
    ]


def seconds(command: list[str]) -> float:
    """Time of a whole process."""
    start = time.perf_counter()
    program = str(Path(sys.executable).parent / command[0])
    subprocess.run([program, *command[1:]], check=True, capture_output=True)
    return time.perf_counter() - start


def loss(photo: Path, painting: Path, picture: Path, *, size: int) -> float:
    """pastiche's loss of a picture."""
    artist = PasticheArtist(
        str(photo), [str(painting)], init=str(picture), size=size, style_size=size, device="cpu"
    )
    return float(artist.loss)


def main() -> None:
    """Measure in turns and print medians, ratio and losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, in turns")
    parser.add_argument("--size", type=int, default=384, help="longer side in pixels")
    parser.add_argument("--steps", type=int, default=60, help="of L-BFGS")
    arguments = parser.parse_args()
    size, steps = arguments.size, arguments.steps
    with tempfile.TemporaryDirectory() as folder:
        outs = {name: Path(folder) / f"{name}.png" for name in ("pastiche", "nst-optimize")}
        given = [scaled(path, Path(folder), size=size) for path in (PHOTO, PAINTING)]
        commands = {
            name: make(given[0], given[1], outs[name], size=size, steps=steps)
            for name, make in (("pastiche", pastiche_command), ("nst-optimize", our_command))
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                times[name].append(seconds(command))
        print(f"{size} px, {steps} steps, {arguments.rounds} rounds")
        for name, taken in times.items():
            pairs = zip(times["pastiche"], taken, strict=True)
            ratio = statistics.median(theirs / ours for theirs, ours in pairs)
            found = loss(given[0], given[1], outs[name], size=size)
            print(
                f"{name:14} {statistics.median(taken):6.1f} s ({min(taken):.1f} to "
                f"{max(taken):.1f})  {ratio:.2f} x  loss {found:.0f}"
            )


if __name__ == "__main__":
    main()
