"""What ``nst-infer`` does with photos and videos: its flags."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from nst.infer.command_line import new_app, print_notice, report_user_error
from nst.infer.commands import flags
from nst.infer.errors import UserError
from nst.infer.files import is_folder

app = new_app()

PIXEL_UNITS = {"MP": 1_000_000}
VIDEOS = "Videos"
BYTE_UNITS = {"MB": 1_000_000, "GB": 1_000_000_000}


class SectionedCommand(TyperCommand):
    """Shows panels of options in its help, which Typer itself does with rich alone."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, each below the title of its panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            usual = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if record is not None:
                title = getattr(parameter, "rich_help_panel", None) or usual
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"nst-infer {version('nst')}")
        raise typer.Exit


@app.command(
    cls=SectionedCommand,
    epilog="Other commands, each with its own --help: nst-infer styles lists the styles, sheet "
    "puts a photo in all of them on one picture, webcam stylizes a camera live, bench measures "
    "speed, info describes a model or this installation.",
)
def stylize(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Pictures, videos, folders of pictures, patterns such as '*.jpg', or - for the "
            "standard input.",
        ),
    ],
    style: Annotated[
        list[str],
        typer.Option(
            metavar="STYLE", help="A name or a file, MODEL.onnx; several with --style again."
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE|FOLDER",
            help="The result, or the folder of results; default: photo.STYLE.ext beside the photo.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="Such as webp; default: as the photo."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look into the folders of a folder too.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="Do the Kth of N parts, for jobs that share the work."),
    ] = None,
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="Of the style: 1 is all of it, 0 the photo.")
    ] = 1.0,
    keep_colors: Annotated[
        bool, typer.Option("--keep-colors", help="Take the colours of the photo.")
    ] = False,
    mask: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A picture: white is stylized, black stays the photo."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Longer side of the result; never enlarged."),
    ] = None,
    brush: Annotated[
        str,
        typer.Option(
            metavar="B|auto", help="Strokes B times as large, 0.25 to 16; auto fits the picture."
        ),
    ] = "1",
    quality: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="Of JPEG, WebP, AVIF, HEIC; default: as in the photo."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results.")] = False,
    max_pixels: Annotated[
        str, typer.Option(metavar="N", help="Refuse larger pictures; such as 250MP or 250000000.")
    ] = "250MP",
    range_name: flags.RangeName = None,
    tier: flags.Tier = None,
    device: flags.Device = "auto",
    threads: flags.Threads = None,
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="For the network, such as 800MB: larger pictures are run in tiles; default: what "
            "is free, at most 2GB.",
        ),
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="h264, hevc, vp9, av1 or an encoder of ffmpeg; default: h264, in WebM vp9.",
            rich_help_panel=VIDEOS,
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=63,
            help="Lower is finer and larger; default: 20 for h264.",
            rich_help_panel=VIDEOS,
        ),
    ] = None,
    fps: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Frames per second; default: as the video.", rich_help_panel=VIDEOS
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Begin there: seconds or h:m:s.", rich_help_panel=VIDEOS),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End there: seconds or h:m:s.", rich_help_panel=VIDEOS),
    ] = None,
    steady: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Hold strokes still from frame to frame: 0 not at all, 1 as much as can be.",
            rich_help_panel=VIDEOS,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object per result.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print each step.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> int:
    """Stylize photos and videos with styles exported to ONNX."""
    if quiet and verbose:
        raise UserError("--quiet and --verbose contradict each other")
    max_pixel_count = read_amount("--max-pixels", max_pixels, PIXEL_UNITS)
    max_bytes = read_amount("--max-memory", max_memory, BYTE_UNITS) if max_memory else None
    brush_factor = read_brush(brush)
    for_videos: dict[str, object] = {"--codec": codec, "--crf": crf, "--fps": fps}
    for_videos |= {"--start": start, "--end": end, "--steady": steady}
    # Imported late: the help must not wait for numpy.
    from nst.infer.commands.videos import plan_videos
    from nst.infer.engine.devices import resolve_device
    from nst.infer.engine.metadata import VALUE_RANGES
    from nst.infer.jobs.inputs import split_videos
    from nst.infer.jobs.style_sessions import StyleSettings
    from nst.infer.jobs.stylize_run import EXIT_SOME_FAILED, STDOUT, Request, run
    from nst.infer.styles import FOR_FRAMES, FOR_PHOTOS, named_styles
    from nst.infer.treatment import Treatment, read_mask

    resolved = resolve_device(device)
    treatment = Treatment(
        strength=strength,
        long_side_px=size,
        brush=brush_factor,
        keep_colors=keep_colors,
        mask=None if mask is None else read_mask(mask),
    )
    settings = StyleSettings(
        [each.path for each in named_styles(style, tier, FOR_PHOTOS)],
        treatment,
        value_range=VALUE_RANGES[range_name] if range_name else None,
        threads=threads,
        device=resolved.device,
        max_memory=max_bytes,
    )
    if verbose and resolved.why:
        print_notice("nst-infer", resolved.why)
    pictures, videos = split_videos(inputs, out)
    if not videos:
        refuse_flags(for_videos, "videos")
    if not pictures:
        refuse_flags(
            {"--format": form, "--recursive": recursive, "--shard": shard, "--quality": quality},
            "pictures",
        )
    request = Request(
        pictures,
        settings,
        out=out,
        form=form,
        recursive=recursive,
        shard=shard,
        overwrite=overwrite,
        quality=quality,
        max_pixels=max_pixel_count,
        mask=mask,
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )
    if videos and out == STDOUT:
        raise UserError("--out - is for pictures: give a video a file or a folder")
    if pictures and videos and out and Path(out).suffix and not is_folder(Path(out)):
        raise UserError(f"--out {out} is one file for pictures and videos: give a folder")
    if not videos:
        return run(request)
    # Before the photos: they may take long, and a flag of videos may be wrong.
    files = [each.path for each in named_styles(style, tier, FOR_FRAMES)]
    of_videos = replace(request, settings=replace(settings, files=files))
    run_all_videos = plan_videos(of_videos, videos, for_videos)
    if not pictures:
        return run_all_videos()
    try:
        status = run(request)
    except UserError as error:  # of the only photo; the videos go on
        status = report_user_error("nst-infer", error)
    return EXIT_SOME_FAILED if max(status, run_all_videos()) else 0


def refuse_flags(flags: Mapping[str, object], kind: str) -> None:
    """Refuse flags that mean nothing for what is given.

    Args:
        flags: by their names, None or False if they were not given.
        kind: what they are for.
    Raises:
        UserError: if one was given.
    """
    for name, value in flags.items():
        if value is not None and value is not False:
            raise UserError(f"{name} is for {kind}, and there are none among the inputs")


def read_amount(flag: str, text: str, units: Mapping[str, int]) -> int:
    """A number with a unit or without, such as ``250MP``.

    Args:
        flag: for the message.
        text: what the user wrote.
        units: the units there are, in capitals, the usual one first.
    Raises:
        UserError: if it is anything else, or less than 1.
    """
    pattern = rf"(\d+|\d*\.\d+)({'|'.join(units)})?"
    match = re.fullmatch(pattern, text, re.ASCII | re.IGNORECASE)
    unit = units[match[2].upper()] if match and match[2] else 1
    amount = int(float(match[1]) * unit) if match else 0
    if amount < 1:
        name, size = next(iter(units.items()))
        raise UserError(f"{flag} takes a number such as 250{name} or {250 * size}, not {text!r}")
    return amount


def read_brush(text: str) -> float | None:
    """A factor from 0.25 to 16; None for ``auto``.

    Raises:
        UserError: if it is anything else.
    """
    from nst.infer.treatment import BRUSHES

    if text.lower() == "auto":
        return None
    low, high = BRUSHES
    with suppress(ValueError):
        if low <= float(text) <= high:
            return float(text)
    raise UserError(f"--brush takes a number from {low:g} to {high:g}, or auto, not {text!r}")
