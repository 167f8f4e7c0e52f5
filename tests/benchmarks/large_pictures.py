"""Large pictures in tiles: how far from the whole, how long, how much memory.

    python tests/benchmarks/large_pictures.py MODEL PHOTO [--megapixels 12 100] [--measured 4 16]

Scales a photo to each number of megapixels, and stylizes it in processes of their own: in tiles
whose statistics come from all of it, and from tiles of so many megapixels (overlap included); up
to 24 megapixels also whole. Differences in levels of 255 are to the whole picture where there is
one, else to the tiles with all statistics. Memory is the most that the process held, above what
it held before it read the photo.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from nst.infer import Stylizer
from nst.infer.engine.tiling import large
from nst.infer.engine.tiling.surgery import load_whole
from nst.infer.pictures.images import read_image

WHOLE_MP = 24
NO_LIMIT = 10**15
MOST_MEMORY = 4_000_000_000


def stylize(model: Path, photo: Path, out: Path, measured_px: int) -> None:
    """In a process of its own: stylize, and print what it took. 0 measured pixels: whole."""
    large.MOST_MEASURED_PX = measured_px
    loaded = load_whole(model)
    assert loaded is not None
    working = large.LargePictures(loaded, "").working
    before, start = memory_mb("VmRSS"), time.perf_counter()
    source = read_image(photo)
    whole = working * source.width * source.height
    limit = NO_LIMIT if measured_px == 0 else int(min(MOST_MEMORY, 0.9 * whole))
    large.free_for_network = lambda pixels: limit
    stylizer = Stylizer(model)
    tiles = stylizer.tiling(*source.size).tiles
    stylizer.stylize_image(source).save(out)
    seconds = time.perf_counter() - start
    megabytes = memory_mb("VmHWM") - before
    print(json.dumps({"tiles": tiles, "seconds": seconds, "mb": megabytes}))


def memory_mb(key: str) -> float:
    """Memory of this process: VmRSS now, VmHWM the most it had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1024


def run(model: Path, photo: Path, out: Path, measured_px: int) -> dict[str, Any]:
    """What ``stylize`` prints."""
    command = [sys.executable, __file__, str(model), str(photo)]
    command += ["--child", str(out), "--measured", str(measured_px / 1e6)]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    facts: dict[str, Any] = json.loads(finished.stdout)
    return facts


def scaled(photo: Path, megapixels: float, folder: Path) -> Path:
    """A JPEG of the photo with so many megapixels, an odd number of pixels on each side."""
    with Image.open(photo) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        sides = [round(side * scale) // 2 * 2 + 1 for side in image.size]
        path = folder / f"{megapixels:g}.jpg"
        image.convert("RGB").resize((sides[0], sides[1]), Image.Resampling.LANCZOS).save(path)
    return path


def levels(path: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The pixels of a PNG."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def compare(model: Path, photo: Path, megapixels: float, measured: list[float]) -> None:
    """Print a row for each way to run a model on a photo of some size."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = scaled(photo, megapixels, folder)
        ways = [0] if megapixels <= WHOLE_MP else []
        ways += [NO_LIMIT, *(int(each * 1e6) for each in measured)]
        reference = None
        for number, way in enumerate(ways):
            out = folder / f"{number}.bmp"
            facts = run(model, source, out, way)
            pixels = levels(out)
            reference = pixels if reference is None else reference
            apart = np.abs(pixels - reference)
            text = "whole" if way == 0 else "all" if way == NO_LIMIT else f"{way / 1e6:g} MP"
            print(
                f"| {megapixels:g} | {text} | {facts['tiles']} | {apart.mean():.3f} | "
                f"{apart.max()} | {facts['seconds']:.1f} | {facts['mb']:.0f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12, 100])
    parser.add_argument("--measured", type=float, nargs="+", default=[4, 16])
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        stylize(given.model, given.photo, given.child, int(given.measured[0] * 1e6))
        return
    print("| Megapixels | statistics of | tiles | mean | largest | s | MB |")
    print("|---|---|---|---|---|---|---|")
    for megapixels in given.megapixels:
        compare(given.model, given.photo, megapixels, given.measured)


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = None
    main()
