import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from synthetic import natural_frames

from nst.infer.errors import UserError
from nst.train.cache_folder import cache_folder
from nst.train.photos import PhotoDataModule
from nst.train.small_copies import SmallCopies, drop_oldest


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """1.8 megapixels."""
    path = tmp_path / "photos" / "large.jpg"
    path.parent.mkdir()
    noisy = Image.fromarray(natural_frames((1, 1200, 1500))[0])
    noisy.filter(ImageFilter.GaussianBlur(12)).save(path, quality=95)
    return path


def test_a_large_photo_is_read_once(large: Path, tmp_path: Path) -> None:
    copies = SmallCopies(tmp_path / "cache", short_px=120)
    first = copies.read(large)
    assert first.size == (300, 240)
    (copy,) = (tmp_path / "cache").iterdir()
    status = large.stat()
    large.write_bytes(bytes(status.st_size))  # the photo cannot be read any more
    os.utime(large, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(UserError):
        SmallCopies(None, short_px=120).read(large)
    copies.is_large = lambda path: True  # type: ignore[method-assign]
    again = copies.read(large)
    assert np.array_equal(np.asarray(first), np.asarray(again)), "the same with and without a copy"
    copy.unlink()


def test_the_copy_looks_like_the_photo(large: Path, tmp_path: Path) -> None:
    with Image.open(large) as photo:
        expected = photo.resize((300, 240), Image.Resampling.BICUBIC)
    copy = SmallCopies(tmp_path / "cache", short_px=120).read(large)
    difference = np.asarray(copy, float) - np.asarray(expected, float)
    assert np.abs(difference).mean() < 2


def test_a_changed_photo_gets_another_copy(large: Path, tmp_path: Path) -> None:
    copies = SmallCopies(tmp_path / "cache", short_px=120)
    copies.read(large)
    Image.new("RGB", (1500, 1200), "red").save(large)
    assert copies.read(large).getpixel((50, 50))[0] > 250  # type: ignore[index]
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.mark.parametrize("size", [(1400, 1000), (20_000, 200)])
def test_small_and_narrow_photos_have_none(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size).save(tmp_path / "x.png")
    assert SmallCopies(tmp_path / "cache", short_px=120).read(tmp_path / "x.png").size == size
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_damaged_copy_is_made_again(large: Path, tmp_path: Path) -> None:
    copies = SmallCopies(tmp_path / "cache", short_px=120)
    first = copies.read(large)
    (copy,) = (tmp_path / "cache").iterdir()
    copy.write_bytes(copy.read_bytes()[:100])
    assert np.array_equal(np.asarray(copies.read(large)), np.asarray(first))


def test_a_folder_that_cannot_be_used(large: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = SmallCopies(tmp_path / "cache", short_px=120).read(large)
    copies = SmallCopies(tmp_path / "file" / "cache", short_px=120)
    assert np.array_equal(np.asarray(copies.read(large)), np.asarray(kept))


def test_the_oldest_copies_go_first(tmp_path: Path) -> None:
    now = time.time()
    for number in range(6):
        (tmp_path / str(number)).write_bytes(bytes(100))
        os.utime(tmp_path / str(number), (now, now - 10 * number))
    drop_oldest(tmp_path, most_bytes=600)
    assert len(list(tmp_path.iterdir())) == 6
    drop_oldest(tmp_path, most_bytes=599)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


@pytest.mark.parametrize("cache", [True, False])
def test_training_keeps_copies_where_it_may(
    cache: bool, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    data = PhotoDataModule(large.parent, crop_px=64, workers=0, cache=cache)
    next(iter(data.train_dataloader()))
    assert (tmp_path / "home" / "nst" / "photos").exists() == cache


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder("gatys") == Path("/somewhere/nst/gatys")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder("gatys") == Path.home() / ".cache" / "nst" / "gatys"
