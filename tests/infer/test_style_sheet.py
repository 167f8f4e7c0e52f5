from pathlib import Path

import numpy as np
import pytest
from graphs import save_negative
from PIL import Image

from nst.infer import UserError
from nst.infer.pictures.contact_sheet import GAP_PX, Cell, caption_height
from nst.infer.style_sheet import OVERSAMPLING, check_sheet, style_sheet, widened
from nst.infer.styles import NamedStyle, as_named


@pytest.fixture
def negative(tmp_path: Path) -> NamedStyle:
    return as_named(str(save_negative(tmp_path / "negative.onnx")))


def unwanted(error: UserError) -> None:
    raise AssertionError(error)


def test_the_photo_comes_first_and_then_the_styles(negative: NamedStyle) -> None:
    photo = Cell(Image.new("RGB", (400, 200), (250, 100, 0)), "photo.png")
    sheet = style_sheet(photo, [negative] * 3, on_failure=unwanted, side_px=100)
    assert sheet.size == (2 * 100 + GAP_PX, 2 * (50 + caption_height()) + GAP_PX)
    assert sheet.getpixel((50, 25)) == (250, 100, 0)
    for place in ((150, 25), (50, 100), (150, 100)):
        assert sheet.getpixel(place) == (5, 155, 255)
    captions = np.asarray(sheet)[50 : 50 + caption_height()]
    assert captions[:, :100].min() < 120
    assert captions[:, 100 + GAP_PX :].min() < 120


def test_columns(negative: NamedStyle) -> None:
    photo = Cell(Image.new("RGB", (100, 100)))
    sheet = style_sheet(photo, [negative] * 3, on_failure=unwanted, side_px=100, columns=4)
    assert sheet.size == (4 * 100 + 3 * GAP_PX, 100 + caption_height())


def test_photos_are_stylized_larger_than_they_are_shown(
    negative: NamedStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    class Recorder:
        def __init__(self, model: Path) -> None:
            pass

        def stylize_image(self, image: Image.Image) -> Image.Image:
            sizes.append(image.size)
            return image

    monkeypatch.setattr("nst.infer.style_sheet.Stylizer", Recorder)
    for width in (1000, 50):
        photo = Cell(Image.new("RGBA", (width, width // 2)))
        style_sheet(photo, [negative], on_failure=unwanted, side_px=100)
    assert sizes == [(OVERSAMPLING * 100, OVERSAMPLING * 50), (50, 25)]


def test_names_under_narrow_pictures_are_whole_up_to_the_side() -> None:
    picture = Image.new("RGB", (20, 200), "red")
    named = widened(Cell(picture, "starry_night"), 200)
    assert 60 < named.width < 200
    assert named.getpixel((19, 0)) == (255, 0, 0)
    assert named.getpixel((20, 0)) == (255, 255, 255)
    assert widened(Cell(picture, "x" * 500), 200).width == 200
    assert widened(Cell(picture), 200).width == 20


def test_a_style_that_fails_is_left_out(negative: NamedStyle, tmp_path: Path) -> None:
    missing = as_named(str(tmp_path / "missing.onnx"))
    errors: list[UserError] = []
    photo = Cell(Image.new("RGB", (100, 100)))
    sheet = style_sheet(photo, [missing, negative], on_failure=errors.append, side_px=100)
    assert sheet.width == 2 * 100 + GAP_PX
    assert "missing.onnx: there is no such file" in str(errors[0])
    with pytest.raises(UserError, match="no style could be drawn"):
        style_sheet(photo, [missing], on_failure=errors.append)


def test_the_sheet_is_checked_before_the_work(photo: Path, tmp_path: Path) -> None:
    check_sheet(tmp_path / "new.png", inputs=[photo], overwrite=False)
    assert not (tmp_path / "new.png").exists()
    with pytest.raises(UserError, match="it is an input"):
        check_sheet(photo, inputs=[photo], overwrite=True)
    with pytest.raises(UserError, match="pass --overwrite"):
        check_sheet(photo, inputs=[], overwrite=False)
    with pytest.raises(UserError, match=r"suffix \.psd is not supported"):
        check_sheet(tmp_path / "new.psd", inputs=[], overwrite=False)
    with pytest.raises(UserError, match="does not exist"):
        check_sheet(tmp_path / "missing" / "new.png", inputs=[], overwrite=False)
