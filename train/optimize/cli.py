"""The command ``nst-optimize``: style transfer by optimising one picture."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import typer

from nst.infer.command_line import needs_extra, new_app, run_app, split_names, split_numbers
from nst.infer.errors import UserError
from nst.infer.files import check_writable, refuse_existing, refuse_inputs, require_file
from nst.infer.pictures.photo_files import find_photos
from nst.train import vgg_choice
from nst.train.optimize import options
from nst.train.optimize.jobs import (
    ATLAS_SIZE_PX,
    PAINT_SIZE_PX,
    UNITS_SIZE_PX,
    AtlasJob,
    Descending,
    PaintJob,
    UnitsJob,
)

app = new_app()


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
    content: options.PhotoArgument = None,
    paintings: options.PaintingsArgument = None,
    out: options.OutFlag = Path("optimized.png"),
    steps: options.StepsFlag = 300,
    size: options.SizeFlag = None,
    scales: options.ScalesFlag = None,
    style_size: options.StyleSizeFlag = None,
    start: options.StartFlag = None,
    optimizer: options.OptimizerFlag = "lbfgs",
    form: options.FormFlag = "relative",
    content_layers: options.LayersFlag = "relu4_2",
    style_layers: options.LayersFlag = "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
    style_layer_weights: options.LayerWeightsFlag = None,
    content_weight: options.ContentWeightFlag = None,
    style_weight: options.StyleWeightFlag = None,
    painting_weights: options.PaintingWeightsFlag = None,
    tv_weight: options.TvWeightFlag = 0.0,
    keep_colors: options.KeepColorsFlag = False,
    every: options.EveryFlag = 20,
    video: options.VideoFlag = False,
    atlas: options.AtlasFlag = False,
    units: options.UnitsFlag = None,
    photos: options.PhotosFlag = None,
    vgg: vgg_choice.ArchFlag = "vgg19",
    vgg_weights: vgg_choice.WeightsFlag = "auto",
    precision: vgg_choice.PrecisionFlag = "auto",
    device: vgg_choice.DeviceFlag = "auto",
    threads: vgg_choice.ThreadsFlag = None,
    seed: options.SeedFlag = 0,
    overwrite: options.OverwriteFlag = False,
) -> int:
    """Paint one photo by optimising the picture itself (Gatys et al. 2015)."""
    choice = vgg_choice.VGGChoice(vgg, vgg_weights, precision, device, threads)
    descending = Descending(form=form, optimizer=optimizer, steps=steps, seed=seed)
    if units is not None:
        options.refuse_other_flags(context, "--units", options.UNITS_FLAGS)
        if photos is None:
            raise UserError("--units needs a folder of photos: --content FOLDER")
        units_job = UnitsJob(units, find_photos(photos), out, size or UNITS_SIZE_PX)
        return start_units(units_job, choice, overwrite=overwrite)
    if content is None:
        raise UserError("give a photo and a painting")
    if atlas:
        options.refuse_other_flags(context, "--atlas", options.ATLAS_FLAGS)
        if paintings is None or len(paintings) != 1:
            raise UserError("--atlas takes a photo and one painting")
        atlas_job = AtlasJob(content, paintings[0], out, descending, size or ATLAS_SIZE_PX)
        return start_atlas(atlas_job, choice, overwrite=overwrite)
    options.refuse_other_flags(context, "a photo", options.PAINT_FLAGS)
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
    return start_painting(job, choice, overwrite=overwrite)


def start_units(job: UnitsJob, choice: vgg_choice.VGGChoice, *, overwrite: bool) -> int:
    """Check the files of ``--units``, then do it. Returns the exit status."""
    check_outputs(job.out, inputs=job.photos, overwrite=overwrite)
    return int(work().show_units(job, choice))


def start_atlas(job: AtlasJob, choice: vgg_choice.VGGChoice, *, overwrite: bool) -> int:
    """Check the files of ``--atlas``, then do it. Returns the exit status."""
    inputs = [job.photo, job.painting]
    for path in inputs:
        require_file(path)
    check_outputs(job.out, inputs=inputs, overwrite=overwrite)
    return int(work().draw_atlas(job, choice))


def start_painting(job: PaintJob, choice: vgg_choice.VGGChoice, *, overwrite: bool) -> int:
    """Check the files of a picture, then paint it. Returns the exit status."""
    inputs = [job.photo, *job.paintings]
    for path in inputs:
        require_file(path)
    if job.video:
        with needs_extra("video"):
            import_module("av")
    if job.start is not None and Path(job.start).is_file():
        inputs.append(Path(job.start))
    films = [job.film] if job.video else []
    check_outputs(job.out, job.strip, *films, inputs=inputs, overwrite=overwrite)
    refuse_existing(job.snapshots, overwrite=overwrite)
    for path in inputs:
        if path.resolve().parent == job.snapshots.resolve():
            raise UserError(f"{path} is a snapshot that -o {job.out} would replace: use another -o")
    return int(work().paint(job, choice))


def check_outputs(*paths: Path, inputs: Sequence[Path] = (), overwrite: bool) -> None:
    """Refuse, before the work, files that could not or should not be written.

    Raises:
        UserError: if one cannot be written, is an input, or exists and ``overwrite`` is not given.
    """
    from nst.infer.pictures.images import check_output_suffix

    check_writable(paths[0])
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
