"""The flags of ``nst-optimize`` and the kinds of job that each goes with. Light."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nst.infer.errors import UserError

ENGINE_FLAGS = frozenset({"vgg", "vgg_weights", "precision", "device", "threads"})
COMMON_FLAGS = ENGINE_FLAGS | {"out", "size", "overwrite"}
UNITS_FLAGS = COMMON_FLAGS | {"units", "photos"}
ATLAS_FLAGS = COMMON_FLAGS | {
    *("atlas", "content", "paintings", "steps", "form", "optimizer", "seed"),
}
PAINT_FLAGS = ATLAS_FLAGS - {"atlas"} | {
    *("scales", "style_size", "start", "content_layers", "style_layers", "style_layer_weights"),
    *("content_weight", "style_weight", "painting_weights", "tv_weight", "keep_colors"),
    *("every", "video"),
}

PhotoArgument = Annotated[
    Path | None, typer.Argument(metavar="PHOTO", help="The photo.", show_default=False)
]
PaintingsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PAINTING...", help="One painting or more.", show_default=False),
]
OutFlag = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The result.")]
StepsFlag = Annotated[int, typer.Option(min=1, help="Evaluations of the loss, over all scales.")]
SizeFlag = Annotated[
    int | None,
    typer.Option(
        min=32,
        metavar="PX",
        help="Longer side of the result; smaller photos stay as they are. Default 512, for "
        "--atlas 256; for --units the photos' shorter side, 288.",
        show_default=False,
    ),
]
ScalesFlag = Annotated[
    int | None,
    typer.Option(
        min=1, help="Sizes from coarse to fine, each double the last. Default: from 256 px up."
    ),
]
StyleSizeFlag = Annotated[
    int | None,
    typer.Option(
        min=32, metavar="PX", help="Longer side of the paintings; more gives larger strokes."
    ),
]
StartFlag = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help="Begin with: content, noise, painting, or a picture. Default: content; noise where a "
        "weight is 0.",
    ),
]
OptimizerFlag = Annotated[Literal["lbfgs", "adam"], typer.Option(help="How to descend.")]
FormFlag = Annotated[
    Literal["relative", "gatys", "course", "johnson"],
    typer.Option(help="How the losses are normalised."),
]
LayersFlag = Annotated[
    str, typer.Option(metavar="LAYERS", help="VGG layers, with commas between them.")
]
LayerWeightsFlag = Annotated[
    str | None,
    typer.Option(metavar="NUMBERS", help="lambda: one per style layer. Default: all equal."),
]
ContentWeightFlag = Annotated[
    float | None,
    typer.Option("--content-weight", "--alpha", help="0: texture only. Default: by the form."),
]
StyleWeightFlag = Annotated[
    float | None,
    typer.Option("--style-weight", "--beta", help="0: rebuild the photo. Default: by the form."),
]
PaintingWeightsFlag = Annotated[
    str | None, typer.Option(metavar="NUMBERS", help="One per painting. Default: all equal.")
]
TvWeightFlag = Annotated[
    float, typer.Option(min=0, help="Weight of the total variation; more is smoother.")
]
KeepColorsFlag = Annotated[
    bool, typer.Option("--keep-colors", help="Take the colours of the photo.")
]
EveryFlag = Annotated[int, typer.Option(min=1, help="Steps between two snapshots.")]
VideoFlag = Annotated[bool, typer.Option("--video", help="Write the snapshots as MP4 too.")]
AtlasFlag = Annotated[
    bool, typer.Option("--atlas", help="Instead: draw what each block of the VGG keeps of both.")
]
UnitsFlag = Annotated[
    str | None,
    typer.Option(
        metavar="LAYER", help="Instead: draw the patches that excite nine units of a layer most."
    ),
]
PhotosFlag = Annotated[
    Path | None,
    typer.Option("--content", metavar="FOLDER", help="Photos for --units, recursively."),
]
SeedFlag = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the noise.")]
OverwriteFlag = Annotated[bool, typer.Option("--overwrite", help="Replace the results.")]


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
