from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.export.check_photos import frames_at, load_check_photos
from nst.infer.errors import UserError
from nst.infer.styles import packaged_photo


def folder_of(folder: Path, count: int) -> Path:
    """Photos that can be told apart by their brightness."""
    for number in range(count):
        Image.new("RGB", (40, 30), (number, number, number)).save(folder / f"{number:03d}.png")
    return folder


def brightness(frames: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]) -> set[int]:
    return {int(frame[0, 0, 0, 0]) for frame in frames}


@pytest.mark.parametrize(("count", "calibration", "checks"), [(2, 1, 1), (9, 5, 4), (90, 24, 8)])
def test_no_photo_serves_both(count: int, calibration: int, checks: int, tmp_path: Path) -> None:
    photos = load_check_photos(folder_of(tmp_path, count), calibrate=True, size=None)
    assert len(photos.calibration) == calibration
    assert len(photos.checks) == checks
    assert not brightness(photos.calibration) & brightness(photos.checks)
    assert photos.checks[0].shape == (1, 30, 40, 3)


def test_without_calibration_all_are_compared_on(tmp_path: Path) -> None:
    photos = load_check_photos(folder_of(tmp_path, 1), calibrate=False, size=(50, 60))
    assert photos.calibration == []
    assert [frame.shape for frame in photos.checks] == [(1, 50, 60, 3)]


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    folder_of(tmp_path, 3)
    for name in ("000", "002"):
        (tmp_path / f"{name}.png").write_text("hello")
    with pytest.raises(UserError, match="too few photos that can be read"):
        load_check_photos(tmp_path, calibrate=True, size=None)
    assert len(load_check_photos(tmp_path, calibrate=False, size=None).checks) == 1


def test_frames_of_a_batch_differ() -> None:
    frames = frames_at(packaged_photo(), (3, 40, 64))
    assert frames.shape == (3, 40, 64, 3)
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])
