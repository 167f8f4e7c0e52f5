"""The command ``nst-infer webcam``: a camera, stylized live."""

import re
from pathlib import Path
from typing import Annotated

import typer

from nst.infer.command_line import (
    needs_extra,
    new_app,
    print_line,
    read_size,
    terminate_as_interrupt,
)
from nst.infer.commands import flags
from nst.infer.styles import FOR_FRAMES, NamedStyle, Tier, all_styles, named_styles

app = new_app()


@app.command(
    epilog="The window lists its keys; h hides them. Snapshots and recordings begun by a key go to "
    "the current folder."
)
def webcam(
    source: Annotated[
        str,
        typer.Argument(
            metavar="[CAMERA|FILE]", help="Number of the camera, or a video played in its place."
        ),
    ] = "0",
    style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STYLE",
            help="A name or a file, MODEL.onnx; several with --style again; default: all that "
            "have names.",
        ),
    ] = None,
    camera_size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="To ask of the camera, such as 1280x720."),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(min=1, help="Frames per second to ask of the camera.")
    ] = None,
    hold_fps: Annotated[
        float | None,
        typer.Option(
            min=1, help="Frames per second to hold: the network gets a smaller picture if need be."
        ),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="Of the style: 1 is all of it, 0 the camera.")
    ] = 1.0,
    steady: Annotated[
        float, typer.Option(min=0, max=1, help="Against flicker where nothing moves; 0 is off.")
    ] = 0.0,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Make the window a mirror; default: for cameras. What is saved never is one.",
            show_default=False,
        ),
    ] = None,
    no_window: Annotated[
        bool, typer.Option("--no-window", help="For --record or --virtual-camera alone.")
    ] = False,
    full_screen: Annotated[bool, typer.Option("--full-screen", help="Fill the screen.")] = False,
    virtual_camera: Annotated[
        bool,
        typer.Option("--virtual-camera", help="Be a camera for other programs; pyvirtualcam."),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Record from the beginning, to an .mp4.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file.")] = False,
    tier: flags.Tier = None,
    range_name: flags.RangeName = None,
    device: flags.Device = "auto",
    threads: flags.Threads = None,
) -> None:
    """Show the picture of a camera in a style, live."""
    size = read_size("--camera-size", camera_size) if camera_size else None
    # Imported late: the help must not wait for numpy.
    from nst.infer.engine.metadata import VALUE_RANGES

    with needs_extra("video"):
        from nst.infer.live.session import Request, run
    request = Request(
        read_source(source),
        read_styles(style, tier),
        camera_size=size,
        fps=fps,
        hold_fps=hold_fps,
        strength=strength,
        steady=steady,
        mirror=mirror,
        window=not no_window,
        full_screen=full_screen,
        virtual_camera=virtual_camera,
        record=record,
        overwrite=overwrite,
        value_range=VALUE_RANGES[range_name] if range_name else None,
        threads=threads,
        device=device,
    )
    with terminate_as_interrupt():
        run(request, lambda path: print_line(str(path)))


def read_source(text: str) -> int | Path:
    """``1`` or ``webcam:1`` to the number of a camera, anything else to a file."""
    match = re.fullmatch(r"(?:webcam:)?(\d{1,3})", text, re.ASCII)
    return int(match[1]) if match else Path(text)


def read_styles(names: list[str] | None, tier: Tier | None = None) -> list[NamedStyle]:
    """The styles of these names, or all that have one, the shipped ones of a tier.

    Raises:
        UserError: as ``named_styles``.
    """
    return named_styles(names, tier, FOR_FRAMES) if names else all_styles(tier or FOR_FRAMES)
