"""The command ``nst-infer bench``: how fast a style runs on the devices there are."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from nst.infer.command_line import new_app, print_notice, print_text, read_size
from nst.infer.commands import flags
from nst.infer.errors import UserError
from nst.infer.styles import FOR_FRAMES, named_styles, shipped_styles

if TYPE_CHECKING:
    from nst.infer.stylizer import Stylizer

PROG = "nst-infer bench"
SIZES = ((640, 480), (1280, 720), (1920, 1080))
"""Widths and heights that are timed unless others are asked for."""

Size = tuple[int, int]

app = new_app()


class Row(NamedTuple):
    """What was measured on a device at a size, see ``nst.infer.frame_time``."""

    device: str
    width: int
    height: int
    first_ms: float
    ms: float
    frames_per_s: float


@app.command()
def bench(
    style: Annotated[
        str | None, typer.Argument(metavar="STYLE", help="A name or an ONNX file.")
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="DEVICE", help="One device, may be repeated; default: all that work."),
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WxH",
            help="Width x height, may be repeated; default: 640x480, 1280x720, 1920x1080.",
        ),
    ] = None,
    tier: flags.Tier = None,
    threads: flags.Threads = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Time a style: the first frame, and the median of seven later ones."""
    # Imported late: the help must not wait for onnxruntime.
    import onnxruntime

    if style is None:
        model = shipped_styles(tier or FOR_FRAMES)[0].path
    else:
        model = named_styles([style], tier, FOR_FRAMES)[0].path
    sizes = [read_size("--size", each) for each in size] if size else None
    rows = []
    for row in timed(model, device, sizes, threads):
        rows.append(row)
        if not as_json:
            print_text(as_line(row))
    if as_json:
        facts = {"file": str(model), "onnxruntime": onnxruntime.__version__, "threads": threads}
        times = [row._asdict() for row in rows]
        print_text(json.dumps(facts | {"times": times}, indent=2))


def timed(
    model: Path, devices: Sequence[str] | None, sizes: Sequence[Size] | None, threads: int | None
) -> Iterator[Row]:
    """Time a model on each device in turn, one session at a time.

    Args:
        model: an ONNX file.
        devices: names; None takes all that work, and leaves out those that do not run the model.
        sizes: widths and heights; None takes ``SIZES``, or the only one that the model takes.
        threads: threads per operator; None leaves it to onnxruntime.
    Raises:
        UserError: if a device that was asked for, or the processor, does not run the model.
    """
    from nst.infer.engine.devices import available_devices, resolve_device
    from nst.infer.frame_time import frame_time
    from nst.infer.stylizer import Stylizer

    wanted = [resolve_device(each).device for each in devices] if devices else available_devices()
    for device in wanted:
        try:
            stylizer = Stylizer(model, threads=threads, device=device)
            for size in sizes or usual_sizes(stylizer):
                taken = frame_time(stylizer, size)
                yield Row(device, *size, *taken, 1000 / taken.ms)
        except UserError as error:
            if devices or device == "cpu":
                raise
            print_notice(PROG, f"left out {device}: {error}")


def usual_sizes(stylizer: "Stylizer") -> Sequence[Size]:
    """``SIZES``, or the only size that a model takes."""
    width, height = stylizer.fixed_size
    return SIZES if width is None or height is None else [(width, height)]


def as_line(row: Row) -> str:
    """For instance ``cpu         1280x720    571.3 ms     1.8 frames/s   first 640.1 ms``."""
    size = f"{row.width}x{row.height}"
    return (
        f"{row.device:9} {size:>10} {row.ms:8.1f} ms {row.frames_per_s:7.1f} frames/s   "
        f"first {row.first_ms:.1f} ms"
    )
