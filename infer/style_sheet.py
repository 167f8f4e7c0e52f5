"""One photo in several styles, on one contact sheet."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from nst.infer.errors import UserError
from nst.infer.files import check_writable, refuse_existing, refuse_inputs
from nst.infer.pictures.contact_sheet import INDENT_PX, Cell, contact_sheet, font
from nst.infer.pictures.images import check_output_suffix
from nst.infer.styles import THUMBNAIL_PX, NamedStyle
from nst.infer.stylizer import Stylizer

OVERSAMPLING = 2


def style_sheet(
    photo: Cell,
    styles: Sequence[NamedStyle],
    *,
    on_failure: Callable[[UserError], Any],
    side_px: int = THUMBNAIL_PX,
    columns: int | None = None,
) -> Image.Image:
    """Draw a photo in every style, the photo itself first, with names beneath.

    Args:
        photo: the picture and its name.
        styles: what to draw it in.
        on_failure: called with the error of each style that cannot be drawn and is left out.
        side_px: longer side of each picture; a smaller photo keeps its size. It is stylized at
            twice this size, where it has that, so that strokes are nearer those of a large one.
        columns: pictures beside each other; None makes about as many columns as rows.
    Raises:
        UserError: if no style can be drawn.
    """
    source = shrunk(photo.picture.convert("RGB"), OVERSAMPLING * side_px)
    cells = [Cell(shrunk(source, side_px), photo.caption)]
    for style in styles:
        try:
            stylized = Stylizer(style.path).stylize_image(source)
        except UserError as error:
            on_failure(error)
        else:
            cells.append(Cell(shrunk(stylized, side_px), style.name))
    if len(cells) == 1:
        raise UserError("no style could be drawn: nst-infer styles lists those there are")
    columns = columns or math.ceil(math.sqrt(len(cells)))
    broad = [Cell(widened(cell, side_px), cell.caption) for cell in cells]
    rows = [broad[start : start + columns] for start in range(0, len(broad), columns)]
    return contact_sheet(rows, height_px=cells[0].picture.height)


def shrunk(picture: Image.Image, side_px: int) -> Image.Image:
    """A copy whose longer side is at most this."""
    smaller = picture.copy()
    smaller.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return smaller


def widened(cell: Cell, most_px: int) -> Image.Image:
    """The picture of a cell, on white as wide as its caption, ``most_px`` at most."""
    caption_px = math.ceil(font().getlength(cell.caption)) + INDENT_PX
    width = max(cell.picture.width, min(caption_px, most_px))
    white = Image.new("RGB", (width, cell.picture.height), "white")
    white.paste(cell.picture)
    return white


def check_sheet(target: Path, *, inputs: Sequence[Path], overwrite: bool) -> None:
    """Refuse, before the work, a sheet that could not or should not be written.

    Args:
        target: the file to write.
        inputs: existing files that are read, and must not be written over.
        overwrite: whether another existing file may be replaced.
    Raises:
        UserError: if suffix, folder or an existing file is in the way.
    """
    check_output_suffix(target)
    check_writable(target)
    refuse_inputs(target, inputs)
    refuse_existing(target, overwrite=overwrite)
