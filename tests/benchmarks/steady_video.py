"""What --steady does to flicker where a scene stands still, and to what moves.

    python tests/benchmarks/steady_video.py STYLE PHOTO... [--size 512]

Each photo makes a clip whose left half stands still and whose right half pans by 3 px a frame, all
of it under camera noise of 2 levels. Prints root mean square differences in [0, 1]: of frames that
follow each other, in the still half; in the moving half of a frame and the one before it moved by
3 px (e_warp); and how far steadied pixels are from the network's own in the moving half.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nst.infer import Stylizer
from nst.infer.engine.frames import Frame
from nst.infer.pictures.images import on_white, read_image
from nst.infer.steady import Steadier

AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
FRAMES, SETTLED = 16, 6
PAN_PX = 3
NOISE_LEVELS = 2.0


def clip(photo: Frame) -> Iterator[Frame]:
    """A scene that is still on its left and pans on its right."""
    random = np.random.default_rng(0)
    middle = photo.shape[1] // 2
    for number in range(FRAMES):
        scene = photo.copy()
        scene[:, middle:] = np.roll(photo, -PAN_PX * number, axis=1)[:, middle:]
        noisy = scene + random.normal(0, NOISE_LEVELS, scene.shape)
        yield np.rint(noisy).clip(0, 255).astype(np.uint8)


def rms(a: Frame, b: Frame) -> float:
    """Root mean square difference in [0, 1]."""
    return float(np.sqrt(np.mean((a.astype(float) - b) ** 2)) / 255)


def measure(stylizer: Stylizer, photo: Frame) -> np.ndarray:
    """For each amount: flicker where it is still, e_warp where it moves, change where it moves."""
    steadiers = [Steadier(amount) for amount in AMOUNTS]
    before: list[Frame] = []
    middle = photo.shape[1] // 2
    sums = np.zeros((len(AMOUNTS), 3))
    for number, seen in enumerate(clip(photo)):
        stylized = stylizer(seen)
        shown = [steadier(seen, stylized) for steadier in steadiers]
        if number >= SETTLED:
            for row, (last, now) in enumerate(zip(before, shown, strict=True)):
                still = slice(0, middle - 16)
                moved, here = last[:, middle + PAN_PX :], now[:, middle:-PAN_PX]
                sums[row] += (
                    rms(last[:, still], now[:, still]),
                    rms(moved, here),
                    rms(now[:, middle:], stylized[:, middle:]),
                )
        before = shown
    return sums / (FRAMES - SETTLED)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("style", help="name or file of a style")
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=512, help="longer side of the photos")
    arguments = parser.parse_args()
    stylizer = Stylizer(arguments.style)
    rows = np.zeros((len(AMOUNTS), 3))
    for path in arguments.photos:
        photo = on_white(read_image(path))
        photo.thumbnail((arguments.size, arguments.size))
        rows += measure(stylizer, np.asarray(photo)) / len(arguments.photos)
    print("| --steady | flicker, still half | e_warp, moving half | changed in the moving half |")
    print("|---|---|---|---|")
    for amount, (flicker, warp, changed) in zip(AMOUNTS, rows, strict=True):
        print(f"| {amount:g} | {flicker:.4f} | {warp:.4f} | {changed:.4f} |")


if __name__ == "__main__":
    main()
