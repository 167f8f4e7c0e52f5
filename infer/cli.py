"""The command ``nst-infer``: stylize one photo with one model."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from nst.infer.command_line import new_app, print_line, print_notice, run_app
from nst.infer.files import check_writable, refuse_existing, refuse_inputs, require_file

app = new_app()


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-infer``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, or 2 after a mistake of the user.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["info"]:
        from nst.infer.info_cli import main as info

        return info(arguments[1:])
    return run_app(app, "nst-infer", arguments)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nst-infer {version('nst')}")
        raise typer.Exit


@app.command(epilog="nst-infer info describes a model or this installation: nst-infer info --help.")
def stylize(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The picture to stylize.")],
    style: Annotated[Path, typer.Option(metavar="MODEL.onnx", help="The exported style.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The result; default: PHOTO.STYLE.ext beside PHOTO."
        ),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="Of the style: 1 is all of it, 0 the photo.")
    ] = 1.0,
    quality: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="Of JPEG, WebP, AVIF, HEIC; default: as in the photo."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the result.")] = False,
    range_name: Annotated[
        Literal["0-255", "0-1"] | None,
        typer.Option("--range", help="Pixel range of a model from elsewhere; default: measured."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads to use.")] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Stylize a photo with a style exported to ONNX."""
    # Imported late: the help must not wait for numpy.
    from nst.infer.metadata import VALUE_RANGES
    from nst.infer.photo import read_photo, write_photo
    from nst.infer.stylizer import Stylizer

    start = time.perf_counter()
    require_file(photo)
    require_file(style)
    target = out if out is not None else default_output(photo, style)
    check_output(target, inputs=(photo, style), overwrite=overwrite)
    value_range = VALUE_RANGES[range_name] if range_name else None
    stylizer = Stylizer(style, value_range=value_range, threads=threads)
    source = read_photo(photo)
    if source.deep:
        print_notice("nst-infer", f"{photo} has 16 bits per channel, the result has 8")
    stylized = stylizer.stylize_image(source.image, strength=strength)
    write_photo(stylized, target, source, quality=quality)
    seconds = time.perf_counter() - start
    size = f"{source.image.width}x{source.image.height}"
    print_line(f"{target}  {size}  {stylizer.style}  {seconds:.2f} s")


def default_output(photo: Path, style: Path) -> Path:
    """Where the result goes when the user does not say.

    Args:
        photo: the picture.
        style: the model file.
    Returns:
        ``photo.STYLE.ext`` beside the photo, ``.png`` if the photo's suffix cannot be written.
    """
    from nst.infer.images import OUTPUT_SUFFIXES

    suffix = photo.suffix if photo.suffix.lower() in OUTPUT_SUFFIXES else ".png"
    return photo.with_name(f"{photo.stem}.{style.stem}{suffix}")


def check_output(target: Path, *, inputs: Sequence[Path], overwrite: bool) -> None:
    """Refuse, before the work, an output that could not or should not be written.

    Args:
        target: the file to write.
        inputs: existing files that must not be written over.
        overwrite: whether another existing file may be replaced.
    Raises:
        UserError: if the suffix, the folder or an existing file is in the way.
    """
    from nst.infer.images import check_output_suffix

    check_output_suffix(target)
    check_writable(target)
    refuse_inputs(target, inputs)
    refuse_existing(target, overwrite=overwrite)
