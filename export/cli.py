"""The command ``nst-export``: from a run or a checkpoint to an ONNX file."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nst.export.form import DEFAULT_OPSET, IO, MIN_SIDE_PX, OPSETS, GraphForm
from nst.infer.command_line import needs_extra, new_app, print_line, print_text, run_app
from nst.infer.engine.metadata import Precision, Weights
from nst.infer.errors import UserError
from nst.infer.files import check_writable, refuse_existing
from nst.infer.pictures.photo_files import find_photos

app = new_app()

MOST_PIXELS = 34_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-export``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, or 2 after a mistake of the user.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["web"]:
        from nst.export.web.cli import main as web

        return web(arguments[1:])
    return run_app(app, "nst-export", arguments)


@app.command(epilog="nst-export web makes a web page of exported styles: nst-export web --help.")
def export(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            help="A run folder of nst-train, a checkpoint, or a pytorch/examples .pth or .model.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The result; default: STYLE.onnx."),
    ] = None,
    io: Annotated[
        IO,
        typer.Option(
            help="uint8: (N, H, W, 3) bytes; float: (N, 3, H, W) in 0 to 1. RGB in and out."
        ),
    ] = "uint8",
    size: Annotated[
        str | None,
        typer.Option(
            metavar="HxW", help="One picture of this height and width alone; default: any."
        ),
    ] = None,
    precision: Annotated[
        Precision, typer.Option(help="Of the arithmetic, and of the weights with it.")
    ] = "fp32",
    weights: Annotated[
        Weights,
        typer.Option(
            help="In which the weights are stored, for a smaller file; the arithmetic stays fp32."
        ),
    ] = "fp32",
    photos: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Photos to calibrate int8 with, and to compare on."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write fp16 or int8 however far it is from fp32."),
    ] = False,
    strength: Annotated[
        bool,
        typer.Option("--strength", help="Add the optional input strength, from 0 (photo) to 1."),
    ] = False,
    statistics: Annotated[
        bool,
        typer.Option(
            "--statistics",
            help="Let apps fix the statistics of the instance norms, for tiles and video: adds "
            "the optional input fixed_statistics and the output statistics.",
        ),
    ] = False,
    no_defaults: Annotated[
        bool,
        typer.Option(
            "--no-defaults",
            help="Apps have to feed strength and fixed_statistics: onnxruntime in JavaScript and "
            "the OpenVINO plug-in do not take inputs with defaults.",
        ),
    ] = False,
    opset: Annotated[int, typer.Option(help="ONNX opset, 18 to 21.")] = DEFAULT_OPSET,
    title: Annotated[str | None, typer.Option(help="Of the painting, for the metadata.")] = None,
    artist: Annotated[str | None, typer.Option(help="Who painted it.")] = None,
    year: Annotated[str | None, typer.Option(help="When.")] = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="Under which it may be used.")
    ] = None,
    describe: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Print what an ONNX file says of itself; no export."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --describe: as JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the result.")] = False,
) -> None:
    """Export a trained style to ONNX, checked against PyTorch."""
    if describe is not None:
        print_card(describe, source, as_json=as_json)
        return
    if source is None:
        raise UserError("give a run folder or a checkpoint to export (see nst-export --help)")
    if as_json:
        raise UserError("--json belongs to --describe FILE")
    if no_defaults and not (strength or statistics):
        raise UserError("--no-defaults belongs to --strength or --statistics")
    if opset not in OPSETS:
        raise UserError(f"opset {opset} is not supported: use one of {OPSETS[0]} to {OPSETS[-1]}")
    height_width = parse_size(size)
    check_precision_flags(precision, weights, photos, force=force)
    # Imported late: the help must not wait for torch.
    with needs_extra("train"):
        from nst.export.model_file import export_onnx
        from nst.export.parity import ParityError
        from nst.export.precision_check import LowerPrecision
        from nst.models import ModelFileError, load_trained_net

    form = GraphForm(io, height_width, strength, statistics, not no_defaults, opset)
    credit = {"title": title, "artist": artist, "year": year, "license": license_}
    try:
        trained = load_trained_net(source)
        given = {name: value for name, value in credit.items() if value is not None}
        trained = replace(trained, credit={**trained.credit, **given})
        path = default_path(trained.style, precision) if out is None else out
        check_target(path, overwrite=overwrite)
        lower = LowerPrecision(precision, photos, force, weights)
        in_float32 = (precision, weights) == ("fp32", "fp32")
        report = export_onnx(trained, path, form, lower=None if in_float32 else lower)
    except (ModelFileError, ParityError) as error:
        raise UserError(f"cannot export {source}: {error}") from error
    print_line(report.summary())
    alone = "" if height_width is None else f"  (photos of {height_width[1]}x{height_width[0]} px)"
    print_line(f"next: nst-infer photo.jpg --style {report.path}{alone}")


def print_card(path: Path, source: Path | None, *, as_json: bool) -> None:
    """Print what a model says about itself."""
    from nst.infer.engine.model_card import printed, read_card

    if source is not None:
        raise UserError("--describe exports nothing: leave out RUN")
    print_text(printed(read_card(path), as_json=as_json))


def parse_size(text: str | None) -> tuple[int, int] | None:
    """``480x640`` to height and width.

    Raises:
        UserError: if it is something else, a side is under 16, or both are too large.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    height, width = (int(match[1]), int(match[2])) if match else (0, 0)
    if min(height, width) < MIN_SIDE_PX or height * width > MOST_PIXELS:
        raise UserError(
            f"--size takes height x width in pixels, each at least {MIN_SIDE_PX} and "
            f"{MOST_PIXELS // 1_000_000} megapixels in all at most, such as 480x640, not {text}"
        )
    return height, width


def check_precision_flags(
    precision: str, weights: str, photos: Path | None, *, force: bool
) -> None:
    """Refuse flags that do not fit the precision.

    Raises:
        UserError: if one is given that fp32 does not use, or one is missing for int8.
    """
    if weights != "fp32" and precision != "fp32":
        raise UserError(
            f"--weights belongs to --precision fp32: {precision} stores them in {precision} itself"
        )
    if (precision, weights) == ("fp32", "fp32") and (photos is not None or force):
        raise UserError("--photos and --force belong to --precision or --weights, fp16 or int8")
    if precision == "int8" and photos is None:
        raise UserError("int8 is calibrated on photos: pass --photos FOLDER, thirty are enough")
    if photos is not None:
        find_photos(photos)


def default_path(style: str, precision: str) -> Path:
    """Where a file goes if the user does not say."""
    return Path(f"{style}.onnx" if precision == "fp32" else f"{style}.{precision}.onnx")


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse, before the work, a file that could not or should not be written.

    Raises:
        UserError: if it exists and ``overwrite`` is not given, or cannot be written.
    """
    if path.suffix.lower() != ".onnx":
        raise UserError(f"cannot write {path}: the name of the result must end in .onnx")
    check_writable(path)
    refuse_existing(path, overwrite=overwrite)
