"""The command ``nst-infer sheet``: one photo in all styles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nst.infer.command_line import new_app, print_line, print_notice, split_names
from nst.infer.commands import flags
from nst.infer.errors import UserError
from nst.infer.files import require_file
from nst.infer.styles import (
    FOR_PHOTOS,
    THUMBNAIL_PX,
    NamedStyle,
    Tier,
    all_styles,
    named_styles,
)

PROG = "nst-infer sheet"

app = new_app()


@app.command()
def sheet(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The picture to stylize.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The sheet; default: PHOTO.sheet.png beside PHOTO."
        ),
    ] = None,
    styles: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Names or ONNX files; default: all that have names."),
    ] = None,
    columns: Annotated[
        int | None,
        typer.Option(min=1, help="Pictures in a row; default: about as many as rows."),
    ] = None,
    size: Annotated[
        int, typer.Option(min=32, help="Longer side of each picture in pixels.")
    ] = THUMBNAIL_PX,
    tier: flags.Tier = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the sheet.")] = False,
) -> None:
    """Draw a photo in every style on one picture, with names beneath."""
    # Imported late: the help must not wait for numpy.
    from nst.infer.pictures.contact_sheet import Cell
    from nst.infer.pictures.images import on_white, read_image, write_image
    from nst.infer.style_sheet import check_sheet, style_sheet

    require_file(photo)
    target = out if out is not None else photo.with_name(f"{photo.stem}.sheet.png")
    if styles is None:
        wanted, on_failure = all_styles(tier or FOR_PHOTOS), leave_out
    else:
        wanted, on_failure = asked_for(split_names(styles), tier), refuse
    check_sheet(target, inputs=(photo, *(style.path for style in wanted)), overwrite=overwrite)
    picture = on_white(read_image(photo))
    drawn = style_sheet(
        Cell(picture, photo.name), wanted, on_failure=on_failure, side_px=size, columns=columns
    )
    write_image(drawn, target)
    print_line(f"{target}  {drawn.width}x{drawn.height}")


def asked_for(names: Sequence[str], tier: Tier | None) -> list[NamedStyle]:
    """The styles that were named.

    Raises:
        UserError: if there is none, or as ``named_styles`` and ``require_file``.
    """
    if not names:
        raise UserError("--styles names no style: nst-infer styles lists those there are")
    styles = named_styles(names, tier, FOR_PHOTOS)
    for style in styles:
        require_file(style.path)
    return styles


def leave_out(error: UserError) -> None:
    """Tell of a style that is not drawn, and go on."""
    print_notice(PROG, f"left out: {error}")


def refuse(error: UserError) -> None:
    """End with the error of a style that was asked for."""
    raise error
