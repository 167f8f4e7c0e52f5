"""The command ``nst-infer info``: what is installed here, and what a model says about itself."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.infer.command_line import new_app, print_text, run_app

app = new_app()

PACKAGES = ("nst", "onnxruntime", "onnx", "numpy", "pillow")


def main(argv: Sequence[str]) -> int:
    """Run ``nst-infer info``.

    Args:
        argv: the arguments after ``info``.
    Returns:
        The exit status: 0, or 2 after a mistake of the user.
    """
    return run_app(app, "nst-infer info", argv)


@app.command()
def info(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL.onnx", help="An ONNX file; default: what is installed."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what a model takes, gives and is, or which versions and devices there are."""
    # Imported late: the help must not wait for numpy.
    from nst.infer.model_card import printed, read_card

    facts = installed() if model is None else read_card(model)
    print_text(printed(facts, as_json=as_json))


def installed() -> dict[str, Any]:
    """Versions and devices."""
    from nst.infer.devices import available_devices

    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "devices": available_devices(),
    }
