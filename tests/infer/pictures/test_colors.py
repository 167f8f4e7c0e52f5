import numpy as np
import pytest
from PIL import Image

from nst.infer.pictures.colors import keep_colors


def test_light_and_dark_of_one_and_colours_of_the_other() -> None:
    stylized = Image.new("RGB", (8, 8), (90, 90, 90))
    photo = Image.new("RGB", (8, 8), (140, 60, 60))
    y, blue, red = keep_colors(stylized, photo).convert("YCbCr").getpixel((4, 4))  # type: ignore[misc]
    assert y == pytest.approx(90, abs=1)
    assert (blue, red) == pytest.approx(photo.convert("YCbCr").getpixel((4, 4))[1:], abs=2)  # type: ignore[index]


def test_a_grey_photo_gives_a_grey_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    kept = np.asarray(keep_colors(Image.fromarray(noise), Image.new("RGB", (16, 16), "grey")))
    assert np.ptp(kept.astype(int), axis=2).max() <= 2


def test_sizes_that_differ() -> None:
    with pytest.raises(ValueError, match="sizes differ"):
        keep_colors(Image.new("RGB", (8, 8)), Image.new("RGB", (9, 8)))
