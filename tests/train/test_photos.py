import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nst.infer.errors import UserError
from nst.train.draws import Draw, EndlessSampler, Share
from nst.train.photos import (
    PhotoDataModule,
    PhotoFolder,
    default_workers,
    open_photo,
    random_crop,
)


def test_photos_are_found_in_subfolders(photos: Path) -> None:
    (photos / "notes.txt").write_text("not a photo")
    names = [path.name for path in PhotoFolder(photos, crop_px=48).paths]
    assert names == ["a.jpg", "b.png", "c.webp"]


def test_crops(photos: Path) -> None:
    photo, _, unreadable, _ = PhotoFolder(photos, crop_px=48)[Draw(0, seed=1)]
    assert photo is not None
    assert photo.shape == (3, 48, 48)
    assert photo.dtype == torch.float32
    assert 0 <= photo.min() < photo.max() <= 1
    assert unreadable == []


def test_colours_survive(tmp_path: Path) -> None:
    Image.new("RGB", (70, 50), (255, 128, 0)).save(tmp_path / "orange.png")
    photo, _, _, _ = PhotoFolder(tmp_path, crop_px=48)[Draw(0, seed=1)]
    assert photo is not None
    expected = torch.tensor([1.0, 128 / 255, 0.0]).view(3, 1, 1).expand(3, 48, 48)
    torch.testing.assert_close(photo, expected)


def test_a_broken_file_gives_the_next_photo_and_its_name(photos: Path) -> None:
    data = (photos / "a.jpg").read_bytes()
    (photos / "a.jpg").write_bytes(data[: len(data) // 2])
    (photos / "b.png").write_bytes(b"")
    photo, _, unreadable, _ = PhotoFolder(photos, crop_px=48)[Draw(0, seed=1)]
    assert photo is not None
    assert photo.shape == (3, 48, 48)
    assert len(unreadable) == 2
    assert str(photos / "a.jpg") in unreadable[0]
    assert "0 bytes" in unreadable[1]


def test_a_program_ends_though_photos_are_still_being_read(photos: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nst.train.photos import PhotoDataModule;"
        "data = PhotoDataModule(Path(sys.argv[1]), crop_px=48, workers=1);"
        "batches = iter(data.train_dataloader()); print(next(batches).photos.shape)"
    )
    command = [sys.executable, "-c", code, str(photos)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout == "torch.Size([1, 3, 48, 48])\n"
    assert "killed by signal" not in result.stderr


@pytest.mark.parametrize("workers", [0, 1])
def test_photos_that_vanish(workers: int, photos: Path) -> None:
    data = PhotoDataModule(photos, crop_px=48, batch_size=2, workers=workers)
    for path in data.folder.paths:
        path.unlink()
    batch = next(iter(data.train_dataloader()))
    with pytest.raises(UserError, match="still there"):
        data.on_before_batch_transfer(batch, 0)


def test_crops_do_not_depend_on_the_number_of_workers(photos: Path) -> None:
    def three_batches(workers: int) -> torch.Tensor:
        torch.manual_seed(5)
        data = PhotoDataModule(photos, crop_px=48, batch_size=2, workers=workers)
        return torch.stack([b.photos for b in islice(iter(data.train_dataloader()), 3)])

    torch.testing.assert_close(three_batches(0), three_batches(2), rtol=0, atol=0)


def test_16_bit_photos_are_scaled(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "x.png")
    photo = open_photo(tmp_path / "x.png", draft_px=64)
    assert isinstance(photo, Image.Image)
    assert np.asarray(photo).mean() == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1"])
def test_any_mode(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new("RGB", (40, 40), (200, 10, 30)).convert(mode).save(path)
    photo = open_photo(path, draft_px=40)
    assert isinstance(photo, Image.Image)
    assert photo.mode == "RGB"


def test_transparency_is_put_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "x.png")
    photo = open_photo(tmp_path / "x.png", draft_px=40)
    assert isinstance(photo, Image.Image)
    assert photo.getpixel((5, 5)) == (255, 255, 255)


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / "x.jpg", exif=exif)
    photo = open_photo(tmp_path / "x.jpg", draft_px=40)
    assert isinstance(photo, Image.Image)
    assert photo.size == (40, 60)


def test_large_jpegs_are_decoded_small(tmp_path: Path) -> None:
    Image.new("RGB", (1600, 1200)).save(tmp_path / "x.jpg")
    photo = open_photo(tmp_path / "x.jpg", draft_px=200)
    assert isinstance(photo, Image.Image)
    assert 200 <= min(photo.size) < 400


@pytest.mark.parametrize("size", [(20, 500), (500, 20), (1, 1), (33, 32)])
def test_small_and_narrow_photos_are_enlarged(size: tuple[int, int]) -> None:
    assert random_crop(Image.new("RGB", size), 32, torch.Generator()).shape == (3, 32, 32)


def test_crops_differ_and_stay_inside() -> None:
    ramp = Image.linear_gradient("L").convert("RGB")  # 0 at the top, 255 at the bottom
    generator = torch.Generator().manual_seed(0)
    crops = [random_crop(ramp, 64, generator) for _ in range(50)]
    heights = [crop[0].max() - crop[0].min() for crop in crops]
    # The photo is shrunk to between 64 and 96 px, of which 64 are shown: all to two thirds.
    assert min(heights) > 0.6
    assert max(heights) > 0.9
    assert len({float(crop.mean()) for crop in crops}) > 25


def test_the_sampler_shuffles_and_never_ends() -> None:
    drawn = list(islice(EndlessSampler(5, seed=1), 15))
    assert len({draw.seed for draw in drawn}) == 15
    rounds = [[draw.photo for draw in drawn[i : i + 5]] for i in (0, 5, 10)]
    assert all(sorted(indices) == [0, 1, 2, 3, 4] for indices in rounds)
    assert rounds[0] != rounds[1]
    assert drawn == list(islice(EndlessSampler(5, seed=1), 15))
    assert drawn != list(islice(EndlessSampler(5, seed=2), 15))


def test_several_processes_share_what_one_would_get() -> None:
    alone = list(islice(EndlessSampler(5, seed=1, batch_size=4), 24))
    both = [
        list(islice(EndlessSampler(5, seed=1, batch_size=2, share=Share(process, 2)), 12))
        for process in (0, 1)
    ]
    steps = [both[0][i : i + 2] + both[1][i : i + 2] for i in range(0, 12, 2)]
    assert [draw for step in steps for draw in step] == alone


def test_the_sampler_goes_on_where_it_was() -> None:
    alone = list(islice(EndlessSampler(5, seed=1), 30))
    assert list(islice(EndlessSampler(5, seed=1, skip=17), 13)) == alone[17:]
    later = EndlessSampler(5, seed=1, batch_size=2, share=Share(1, 2), skip=8)
    assert list(islice(later, 4)) == [*alone[10:12], *alone[14:16]]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches(workers: int, photos: Path) -> None:
    data = PhotoDataModule(photos, crop_px=48, batch_size=4, workers=workers)
    (photos / "b.png").write_bytes(b"")
    batches = list(islice(iter(data.train_dataloader()), 3))
    assert all(batch.photos.shape == (4, 3, 48, 48) for batch in batches)
    assert any("b.png" in line for batch in batches for line in batch.unreadable)


def test_preview_photos_are_whole_and_spread(photos: Path) -> None:
    previews = PhotoDataModule(photos, crop_px=48).preview_photos(2, long_side_px=48)
    assert [tuple(preview.shape) for preview in previews] == [(3, 32, 48), (3, 48, 32)]


def test_default_workers_is_at_least_1(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in ((1, 1), (2, 1), (4, 3), (64, 8)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert default_workers() == workers
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_workers() == 1


def test_narrow_photos_are_no_previews(photos: Path) -> None:
    Image.new("RGB", (2000, 20)).save(photos / "0.jpg")
    previews = PhotoDataModule(photos, crop_px=48).preview_photos(4, long_side_px=64)
    assert len(previews) == 3


def test_previews_go_on_to_the_next_photo_that_can_be_read(photos: Path) -> None:
    data = PhotoDataModule(photos, crop_px=48)
    (photos / "a.jpg").write_bytes(b"")
    (photos / "more" / "c.webp").write_bytes(b"")
    for count in (1, 2, 3):
        (preview,) = data.preview_photos(count, long_side_px=48)
        assert tuple(preview.shape) == (3, 48, 32)
    (photos / "b.png").write_bytes(b"")
    assert data.preview_photos(3, long_side_px=48) == []


def test_folders_without_photos(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        PhotoFolder(tmp_path / "none", crop_px=48)
    with pytest.raises(UserError, match="no JPEG, PNG or WebP photo"):
        PhotoFolder(tmp_path, crop_px=48)
    (tmp_path / "a.jpg").write_text("text")
    with pytest.raises(UserError, match="none of the photos"):
        PhotoFolder(tmp_path, crop_px=48)


@pytest.mark.parametrize("arguments", [{"crop_px": 47}, {"batch_size": 0}, {"workers": -1}])
def test_numbers_out_of_range(arguments: dict[str, int], photos: Path) -> None:
    with pytest.raises(UserError, match="at least"):
        PhotoDataModule(photos, **arguments)  # type: ignore[arg-type]
