"""The command ``nst-export``: from a run or a checkpoint to an ONNX file."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nst.export.web.cli import main as web
from nst.infer.command_line import needs_extra, new_app, print_line, run_app
from nst.infer.errors import UserError
from nst.infer.files import check_writable, refuse_existing

app = new_app()


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-export``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, or 2 after a mistake of the user.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["web"]:
        return web(arguments[1:])
    return run_app(app, "nst-export", arguments)


@app.command(epilog="nst-export web makes a web page of exported styles: nst-export web --help.")
def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run folder of nst-train, a checkpoint, or a pytorch/examples .pth or .model.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The result; default: STYLE.onnx."),
    ] = None,
    opset: Annotated[int, typer.Option(help="ONNX opset, 18 to 21.")] = 18,
    statistics: Annotated[
        bool,
        typer.Option(
            "--statistics",
            help="Let apps fix the statistics of the instance norms, for tiles and video: adds "
            "the optional input fixed_statistics and the output statistics.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the result.")] = False,
) -> None:
    """Export a trained style to ONNX, checked against PyTorch."""
    # Imported late: the help must not wait for torch.
    with needs_extra("train"):
        from nst.export.graph import OPSETS
        from nst.export.model_file import export_onnx
        from nst.export.parity import ParityError
        from nst.models import ModelFileError, load_trained_net

    if opset not in OPSETS:
        raise UserError(f"opset {opset} is not supported: use one of {OPSETS[0]} to {OPSETS[-1]}")
    try:
        trained = load_trained_net(source)
        path = Path(f"{trained.style}.onnx") if out is None else out
        check_target(path, overwrite=overwrite)
        report = export_onnx(trained, path, opset=opset, statistics=statistics)
    except (ModelFileError, ParityError) as error:
        raise UserError(f"cannot export {source}: {error}") from error
    print_line(report.summary())
    print_line(f"next: nst-infer photo.jpg --style {report.path}")


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuse, before the work, a file that could not or should not be written.

    Raises:
        UserError: if it exists and ``overwrite`` is not given, or cannot be written.
    """
    if path.suffix.lower() != ".onnx":
        raise UserError(f"cannot write {path}: the name of the result must end in .onnx")
    check_writable(path)
    refuse_existing(path, overwrite=overwrite)
