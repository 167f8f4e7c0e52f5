from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import natural_frames

from nst.infer import Stylizer
from nst.infer.treatment import Treatment, treat


@pytest.fixture
def photo_image() -> Image.Image:
    return Image.fromarray(natural_frames((1, 300, 420))[0])


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


@pytest.fixture
def negative(invert_bytes: Path) -> Stylizer:
    return Stylizer(invert_bytes)


def test_as_it_was_trained(negative: Stylizer, photo_image: Image.Image) -> None:
    assert np.array_equal(levels(treat(negative, photo_image)), 255 - levels(photo_image))


def test_a_smaller_result(negative: Stylizer, photo_image: Image.Image) -> None:
    result = treat(negative, photo_image, Treatment(long_side_px=200))
    assert result.size == (200, 143)
    small = photo_image.resize((200, 143), Image.Resampling.LANCZOS)
    assert np.array_equal(levels(result), 255 - levels(small))


def test_a_small_picture_is_not_enlarged(negative: Stylizer, photo_image: Image.Image) -> None:
    assert treat(negative, photo_image, Treatment(long_side_px=5000)).size == photo_image.size


@pytest.mark.parametrize(
    ("brush", "size", "seen"),
    [
        (2, (400, 300), (200, 150)),
        (0.5, (400, 300), (800, 600)),
        (None, (4096, 1024), (1024, 256)),
        (None, (512, 100), (1024, 200)),
        (None, (40000, 40000), (2500, 2500)),
        (16, (20, 10), (1, 1)),
    ],
)
def test_the_size_that_the_network_sees(
    brush: float | None, size: tuple[int, int], seen: tuple[int, int]
) -> None:
    assert Treatment(brush=brush).seen_size(*size) == seen


def test_a_brush_that_fits_itself_goes_by_the_size_of_the_result() -> None:
    assert Treatment(brush=None, long_side_px=2048).seen_size(8192, 8192) == (1024, 1024)


class Identity(Stylizer):
    """What it sees is what it gives, with the colours turned round."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def stylize_image(self, image: Image.Image, **_: object) -> Image.Image:
        self.seen.append(image.size)
        return Image.fromarray(np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))


@pytest.mark.parametrize("size", [(420, 300), (419, 601)])
def test_a_large_brush_keeps_the_fine_detail(size: tuple[int, int]) -> None:
    grey = Image.fromarray(natural_frames((1, *size[::-1]))[0]).convert("L").convert("RGB")
    style = Identity()
    result = treat(style, grey, Treatment(brush=3))
    assert style.seen == [(round(size[0] / 3), round(size[1] / 3))]
    inner = levels(grey).clip(30, 225) == levels(grey)
    assert np.abs(levels(result) - levels(grey))[inner].max() <= 3


def test_bands_leave_no_seam() -> None:
    ramp = np.tile(np.linspace(0, 255, 900)[:, None, None], (1, 64, 3)).astype(np.uint8)
    result = levels(treat(Identity(), Image.fromarray(ramp), Treatment(brush=4)))
    assert np.abs(np.diff(result, axis=0)).max() <= 2


def test_a_small_brush() -> None:
    photo = Image.fromarray(natural_frames((1, 100, 80))[0])
    style = Identity()
    assert treat(style, photo, Treatment(brush=0.5)).size == (80, 100)
    assert style.seen == [(160, 200)]


def test_the_colors_of_the_photo(negative: Stylizer, photo_image: Image.Image) -> None:
    pale = Image.blend(photo_image, Image.new("RGB", photo_image.size, "grey"), 0.7)
    result = treat(negative, pale, Treatment(keep_colors=True))
    photo, kept = (levels(each.convert("YCbCr")) for each in (pale, result))
    assert np.abs(photo - kept)[:, :, 1:].max() <= 3
    assert np.abs(255 - photo[:, :, 0] - kept[:, :, 0]).max() <= 3


def test_a_mask(negative: Stylizer, photo_image: Image.Image) -> None:
    mask = Image.new("L", (420, 300))
    mask.paste(255, (0, 0, 200, 300))
    mask.paste(51, (300, 0, 420, 300))
    result = levels(treat(negative, photo_image, Treatment(mask=mask)))
    photo = levels(photo_image)
    assert np.array_equal(result[:, :200], 255 - photo[:, :200])
    assert np.array_equal(result[:, 200:300], photo[:, 200:300])
    expected = photo + 0.2 * (255 - 2 * photo)
    assert np.abs(result - expected)[:, 300:].max() <= 1


def test_a_mask_is_stretched(negative: Stylizer, photo_image: Image.Image) -> None:
    mask = Image.fromarray(np.array([[0, 255]], np.uint8))
    result = levels(treat(negative, photo_image, Treatment(mask=mask)))
    assert np.array_equal(result[:, :20], levels(photo_image)[:, :20])
    assert np.array_equal(result[:, -20:], 255 - levels(photo_image)[:, -20:])


def test_transparency_stays(negative: Stylizer, photo_image: Image.Image) -> None:
    alpha = Image.linear_gradient("L").resize(photo_image.size)
    photo_image.putalpha(alpha)
    everything = Treatment(brush=2, keep_colors=True, mask=Image.new("L", (1, 1), 128))
    result = treat(negative, photo_image, everything)
    assert result.mode == "RGBA"
    assert np.array_equal(levels(result)[:, :, 3], levels(alpha))


@pytest.mark.parametrize(
    "wrong",
    [{"strength": 1.5}, {"strength": -0.1}, {"long_side_px": 0}, {"brush": 0.1}, {"brush": 17}],
)
def test_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Treatment(**wrong)  # type: ignore[arg-type]
