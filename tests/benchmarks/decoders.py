"""How fast photos become crops, by what decodes them: Pillow as in training, OpenCV, torchvision.

    python tests/benchmarks/decoders.py PHOTOS [--crop 192] [--rounds 5]

Each decodes every JPEG of a folder to a picture whose shorter side is at least twice the crop's,
in the smallest scale that its decoder has (an eighth to the whole; torchvision has the whole
alone), and resizes that side to the crop's. One thread, in turns; photos/s, medians of the rounds.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms.v2.functional import resize

from nst.train.photos import open_photo

REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
Decode = Callable[[Path, int], object]


def with_pillow(path: Path, crop_px: int) -> object:
    """As the training does it."""
    photo = open_photo(path, draft_px=2 * crop_px)
    assert isinstance(photo, Image.Image)
    scale = crop_px / min(photo.size)
    size = (round(photo.width * scale), round(photo.height * scale))
    return np.asarray(photo.resize(size, Image.Resampling.BICUBIC))


def with_opencv(path: Path, crop_px: int) -> object:
    """In the largest reduction that leaves enough."""
    with Image.open(path) as header:
        shorter = min(header.size)
    by = max(factor for factor in REDUCED if factor == 1 or shorter / factor >= 2 * crop_px)
    photo = cv2.imdecode(np.fromfile(path, np.uint8), REDUCED[by])
    assert photo is not None
    scale = crop_px / min(photo.shape[:2])
    return cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def with_torchvision(path: Path, crop_px: int) -> object:
    """Whole, and then smaller."""
    content = torch.from_numpy(np.fromfile(path, np.uint8))
    photo = decode_jpeg(content, mode=ImageReadMode.RGB)
    return resize(photo, [crop_px], antialias=True)


DECODERS: dict[str, Decode] = {
    "Pillow": with_pillow,
    "OpenCV": with_opencv,
    "torchvision": with_torchvision,
}


def main() -> None:
    """Time all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of JPEGs")
    parser.add_argument("--crop", type=int, default=192, help="pixels")
    parser.add_argument("--rounds", type=int, default=5)
    settings = parser.parse_args()
    paths = sorted(settings.photos.glob("*.jpg"))
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    speeds: dict[str, list[float]] = {name: [] for name in DECODERS}
    for turn in range(settings.rounds + 1):
        for name, decode in DECODERS.items():
            began_s = time.perf_counter()
            for path in paths:
                decode(path, settings.crop)
            if turn:  # The first one reads the files.
                speeds[name].append(len(paths) / (time.perf_counter() - began_s))
    for name, values in speeds.items():
        print(f"{name:12} {statistics.median(values):7.1f} photos/s")


if __name__ == "__main__":
    main()
