"""The photos that exported files are checked on."""

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from nst.infer.errors import UserError
from nst.infer.images import on_white, read_image
from nst.infer.photo_files import find_photos

LONG_SIDE_PX = 512
CALIBRATION_PHOTOS = 24
CHECK_PHOTOS = 8


def packaged_photo() -> Image.Image:
    """The photo that comes with the package, 600x400 px, RGB."""
    with as_file(files("nst.export") / "photos" / "coffee.jpg") as path:
        return on_white(read_image(path))


def frames_at(photo: Image.Image, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A photo at a size, and mirrored, where there are more in the batch.

    Args:
        photo: RGB.
        shape: batch, height, width.
    Returns:
        (N, H, W, 3), uint8, RGB.
    """
    batch, height, width = shape
    frame = np.asarray(ImageOps.fit(photo, (width, height), Image.Resampling.BICUBIC))
    turned = (frame, frame[:, ::-1], frame[::-1], frame[::-1, ::-1])
    return np.stack([turned[number % len(turned)] for number in range(batch)])


def split_photos(folder: Path) -> tuple[list[Path], list[Path]]:
    """Photos of a folder to calibrate with, and others to check with.

    Returns:
        At most 24 and at most 8, spread evenly over the folder.
    Raises:
        UserError: if the folder is missing or has fewer than two photos.
    """
    paths = find_photos(folder)
    if len(paths) < 2:
        raise UserError(f"{folder} has one photo: calibration needs two at least, better thirty")
    checks = spread(paths, min(CHECK_PHOTOS, len(paths) // 2))
    chosen = set(checks)
    return spread([path for path in paths if path not in chosen], CALIBRATION_PHOTOS), checks


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """At most ``count`` of them, at even distances."""
    count = min(count, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]


def load_frame(path: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """A photo as (1, H, W, 3), uint8, RGB.

    Args:
        path: the file.
        size: height and width that it is cropped and scaled to; None scales the longer side down
            to 512 px.
    Raises:
        UserError: if it cannot be read.
    """
    photo = on_white(read_image(path, draft_px=LONG_SIDE_PX))
    if size is not None:
        return frames_at(photo, (1, *size))
    photo.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX), Image.Resampling.BICUBIC)
    return frames_at(photo, (1, max(16, photo.height), max(16, photo.width)))
