"""The command ``nst-infer info``: what is installed here, and what a model says about itself."""

import platform
from importlib.metadata import version
from typing import Annotated, Any

import typer

from nst.infer.command_line import new_app, print_text
from nst.infer.commands import flags
from nst.infer.errors import UserError
from nst.infer.styles import FOR_FRAMES, named_styles

app = new_app()

PACKAGES = ("nst", "onnx", "numpy", "pillow")


@app.command()
def info(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="STYLE", help="An ONNX file, or a name; default: what is installed."
        ),
    ] = None,
    tier: flags.Tier = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what a style takes, gives and is, or which versions and devices there are."""
    # Imported late: the help must not wait for numpy.
    from nst.infer.engine.model_card import printed, read_card

    if model is not None:
        (style,) = named_styles([model], tier, FOR_FRAMES)
        print_text(printed(read_card(style.path), as_json=as_json))
        return
    if tier is not None:
        raise UserError("--tier belongs to a style: name one")
    facts = installed()
    if not as_json:
        facts["devices"] = {name: in_words(state) for name, state in facts["devices"].items()}
    print_text(printed(facts, as_json=as_json))


def installed() -> dict[str, Any]:
    """Versions, onnxruntime's providers, the device that ``auto`` takes, and all devices.

    Returns:
        JSON types. ``devices`` is by name: ``works``, ``tested`` (whether nst was ever run on it)
        and ``why_not``.
    """
    import onnxruntime

    from nst.infer.engine.devices import DEVICES, resolve_device, why_not

    auto, why = resolve_device("auto")
    reasons = {device: why_not(device) for device in DEVICES}
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "onnxruntime": onnxruntime.__version__,
        "providers": onnxruntime.get_available_providers(),
        "auto": auto,
        "auto_why": why,
        "devices": {
            device: {"works": not reason, "tested": DEVICES[device].tested, "why_not": reason}
            for device, reason in reasons.items()
        },
    }


def in_words(state: dict[str, Any]) -> str:
    """For instance ``works, untested``."""
    words = str(state["why_not"]) or "works"
    return words if state["tested"] else f"{words}, untested"
