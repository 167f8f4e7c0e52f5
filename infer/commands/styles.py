"""The command ``nst-infer styles``: the styles that have names."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.infer.command_line import new_app, print_notice, print_text
from nst.infer.errors import UserError, one_line
from nst.infer.styles import FOR_PHOTOS, NamedStyle, all_styles, packaged_photo, style_facts

PROG = "nst-infer styles"

app = new_app()


@app.command(
    epilog="Own styles are the ONNX files of the folder that the environment variable NST_STYLES "
    "names; one of them hides a shipped style of its name."
)
def styles(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw a photo in each of them, on one picture."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the sheet.")] = False,
) -> None:
    """List the styles that go by name: those that come with nst, and your own."""
    # Imported late: the help must not wait for numpy.
    if sheet is not None:
        from nst.infer.style_sheet import check_sheet

        check_sheet(sheet, inputs=(), overwrite=overwrite)
    facts = {}
    for style in all_styles(None):
        try:
            facts[style] = style_facts(style)
        except UserError as error:
            leave_out(error)
    told = list(facts.values())
    print_text(json.dumps(told, indent=2) if as_json else as_table(told))
    if sheet is not None:
        draw_sheet(sheet, [style for style in all_styles(FOR_PHOTOS) if style in facts])


def draw_sheet(target: Path, found: Sequence[NamedStyle]) -> None:
    """Draw the photo of the package in every style.

    Raises:
        UserError: if the sheet cannot be written.
    """
    from nst.infer.pictures.contact_sheet import Cell
    from nst.infer.pictures.images import write_image
    from nst.infer.style_sheet import style_sheet

    write_image(style_sheet(Cell(packaged_photo(), "photo"), found, on_failure=leave_out), target)


def leave_out(error: UserError) -> None:
    """Tell of a style that cannot be used, and go on."""
    print_notice(PROG, f"left out: {error}")


def as_table(facts: Sequence[dict[str, Any]]) -> str:
    """One line per style under a line of headings; columns are as wide as they need to be."""
    rows = [["name", "title", "artist", "year", "tier", "MB", "precision", "from"]]
    for each in facts:
        size = f"{each['size_bytes'] / 1e6:.2f}"
        told = [each[key] for key in ("name", "title", "artist", "year", "tier")]
        origin = "own" if each["own"] else "nst"
        # Whoever wrote the file chose these texts: none may look like a line of its own.
        rows.append([one_line(text) for text in (*told, size, each["precision"], origin)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
