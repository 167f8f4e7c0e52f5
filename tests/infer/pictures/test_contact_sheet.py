import numpy as np
from PIL import Image

from nst.infer.pictures.contact_sheet import (
    GAP_PX,
    Cell,
    caption_height,
    contact_sheet,
    fit_text,
    font,
)


def plain(width: int, height: int, color: str) -> Image.Image:
    return Image.new("RGB", (width, height), color)


def test_rows_and_columns_line_up() -> None:
    rows = [
        [Cell(plain(40, 20, "red")), Cell(plain(20, 20, "green"))],
        [Cell(plain(20, 40, "blue"))],
    ]
    sheet = contact_sheet(rows, height_px=20)
    assert sheet.size == (40 + GAP_PX + 20, 20 + GAP_PX + 20)
    assert sheet.getpixel((39, 19)) == (255, 0, 0)
    assert sheet.getpixel((40 + GAP_PX, 0)) == (0, 128, 0)
    assert sheet.getpixel((9, 20 + GAP_PX)) == (0, 0, 255)
    assert sheet.getpixel((11, 20 + GAP_PX)) == (255, 255, 255)


def test_captions_stand_below_in_ink() -> None:
    with_caption = contact_sheet([[Cell(plain(100, 50, "red"), "step 20")]], height_px=50)
    assert with_caption.size == (100, 50 + caption_height())
    band = np.asarray(with_caption)[50:]
    assert band.min() < 120
    assert band.max() == 255


def test_a_long_caption_is_cut() -> None:
    short = fit_text("a caption that does not fit at all", 80)
    assert short.endswith("…")
    assert font().getlength(short) <= 80
    assert fit_text("fits", 80) == "fits"
    assert fit_text("nothing fits", 3) == ""


def test_other_modes_are_shown_in_rgb() -> None:
    sheet = contact_sheet([[Cell(Image.new("L", (10, 10), 128))]], height_px=10)
    assert sheet.getpixel((5, 5)) == (128, 128, 128)
