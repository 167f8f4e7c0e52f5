"""Several pictures on one, in rows, with captions."""

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

GAP_PX = 8
CAPTION_PX = 16
INDENT_PX = 2
INK = "#333333"


class Cell(NamedTuple):
    """One picture of a contact sheet, and the line under it."""

    picture: Image.Image
    caption: str = ""


def contact_sheet(
    rows: Sequence[Sequence[Cell]], *, height_px: int, gap_px: int = GAP_PX
) -> Image.Image:
    """Lay pictures out on white, row by row.

    Args:
        rows: from top to bottom; a row may be shorter than the others.
        height_px: every picture is scaled to this height.
        gap_px: between pictures.
    Returns:
        A new picture. Cells that stand below each other begin at the same place.
    """
    scaled = [
        [Cell(to_height(cell.picture, height_px), cell.caption) for cell in row] for row in rows
    ]
    columns = max(len(row) for row in scaled)
    widths = [
        max(row[column].picture.width for row in scaled if column < len(row))
        for column in range(columns)
    ]
    heights = [
        height_px + (caption_height() if any(c.caption for c in row) else 0) for row in scaled
    ]
    size = (sum(widths) + gap_px * (columns - 1), sum(heights) + gap_px * (len(scaled) - 1))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row, height in zip(scaled, heights, strict=True):
        left = 0
        for cell, width in zip(row, widths, strict=False):
            sheet.paste(cell.picture, (left, top))
            place = (left + INDENT_PX, top + height_px + CAPTION_PX // 4)
            draw.text(place, fit_text(cell.caption, width - INDENT_PX), INK, font())
            left += width + gap_px
        top += height + gap_px
    return sheet


def to_height(picture: Image.Image, height_px: int) -> Image.Image:
    """Scale to a height, at least 1 px wide."""
    width = max(1, round(picture.width * height_px / picture.height))
    return picture.convert("RGB").resize((width, height_px), Image.Resampling.LANCZOS)


def fit_text(text: str, width_px: int) -> str:
    """The start of ``text`` that is at most this wide, with an ellipsis if it is cut."""
    if font().getlength(text) <= width_px:
        return text
    while text and font().getlength(f"{text}…") > width_px:
        text = text[:-1]
    return f"{text}…" if text else ""


def font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow."""
    return ImageFont.load_default(CAPTION_PX)


def caption_height() -> int:
    """Pixels that a caption adds below a row."""
    return CAPTION_PX + CAPTION_PX // 2
