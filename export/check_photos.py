"""The photos that exported files are checked on."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from nst.infer.errors import UserError
from nst.infer.pictures.images import on_white, read_image
from nst.infer.pictures.photo_files import find_photos, spread

LONG_SIDE_PX = 512
CHECK_LONG_SIDE_PX = 1024
CALIBRATION_PHOTOS = 24
CHECK_PHOTOS = 8


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


class CheckPhotos(NamedTuple):
    """Photos as (1, H, W, 3), uint8, RGB, each.

    Attributes:
        calibration: longer side at most 512 px.
        checks: others, longer side at most 1024 px.
    """

    calibration: list[NDArray[np.uint8]]
    checks: list[NDArray[np.uint8]]


def load_check_photos(
    folder: Path, *, calibrate: bool, size: tuple[int, int] | None
) -> CheckPhotos:
    """Photos of a folder to calibrate with, and others to check with, spread evenly over it.

    Files that cannot be read are left out.

    Args:
        folder: searched recursively.
        calibrate: whether calibration needs any.
        size: height and width that all are cropped and scaled to; None keeps their shapes.
    Returns:
        At most 24 and at most 8.
    Raises:
        UserError: if the folder is missing or has too few photos that can be read.
    """
    paths = find_photos(folder)
    count = min(CHECK_PHOTOS, len(paths) // 2) if calibrate else CHECK_PHOTOS
    checked = spread(paths, count)
    others = [path for path in paths if path not in set(checked)]
    checks = list(load_frames(checked, size, long_side_px=CHECK_LONG_SIDE_PX))
    calibration = []
    if calibrate:
        chosen = spread(others, CALIBRATION_PHOTOS)
        calibration = list(load_frames(chosen, size, long_side_px=LONG_SIDE_PX))
    if not checks or (calibrate and not calibration):
        raise UserError(
            f"{folder} has too few photos that can be read: give some to calibrate with and others "
            "to compare on, better thirty"
        )
    return CheckPhotos(calibration, checks)


def load_frames(
    paths: Sequence[Path], size: tuple[int, int] | None, *, long_side_px: int
) -> Iterator[NDArray[np.uint8]]:
    """Those of the photos that can be read, at a size or shrunk to a longer side."""
    for path in paths:
        with suppress(UserError):
            photo = on_white(read_image(path, draft_px=long_side_px))
            if size is None:
                photo.thumbnail((long_side_px, long_side_px), Image.Resampling.BICUBIC)
            height, width = size or (max(16, photo.height), max(16, photo.width))
            yield frames_at(photo, (1, height, width))
