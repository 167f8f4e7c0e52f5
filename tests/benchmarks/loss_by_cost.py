"""What thinness costs: loss against multiply-accumulates, every network with the same images.

    python tests/benchmarks/loss_by_cost.py --style PAINTING... --content PHOTOS --test PHOTOS \\
        --images 6000 --out FOLDER [--losses plain|grid]

Trains each network on each painting with ``nst-train`` from nothing, on one crop of 160 px per step
and with the layers and the balance that ``nst-evaluate`` judges by (``--losses plain``: without
further losses, ``grid``: with that against grids alone). Judges them with it on photos that were
not trained on, and writes a table (``table.md``) and a figure (``figure.png``) into the folder. A
training that is there goes on, so that it can be stopped and started again. Twenty minutes for a
small network on two fast cores, 45 for ``TransformerNet``.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib
from matplotlib import pyplot
from train_and_judge import MEASURES, judge, train_in

from nst.models.perceptual_loss import (
    DEFAULT_CONTENT_LAYERS,
    DEFAULT_STYLE_LAYERS,
    DEFAULT_STYLE_WEIGHT,
)
from nst.train.evaluate.cost import graph_cost

matplotlib.use("agg")

YARDSTICK = [
    *("--model.content_layers", json.dumps(DEFAULT_CONTENT_LAYERS)),
    *("--model.style_layers", json.dumps(DEFAULT_STYLE_LAYERS)),
    *("--model.style_weight", str(DEFAULT_STYLE_WEIGHT), "--data.crop_px", "160"),
]
"""What is learned from is what is judged by."""
GRID_ALONE = ["--model.stability_weight", "0", "--model.knob_share", "0"]
LOSSES: dict[str, list[str]] = {
    "all": [],
    "grid": GRID_ALONE,
    "plain": [*GRID_ALONE, "--model.grid_weight", "0"],
}
"""What is learned besides content and style."""
NETS: dict[str, list[str]] = {
    "realtime": ["--config", "realtime"],
    "balanced": ["--config", "balanced"],
    "quality": ["--config", "quality"],
    "TransformerNet": ["--net", "TransformerNet"],
}


class Judgement(NamedTuple):
    """One network on one painting. Measures are means over the test photos."""

    net: str
    painting: str
    macs_per_pixel: float
    measures: dict[str, float]


def train(net: str, painting: Path, settings: argparse.Namespace) -> Path:
    """The run folder of a finished training."""
    folder: Path = settings.out / f"{painting.stem}_{settings.images}_{settings.losses}" / net
    flags = [*NETS[net], "--trainer.max_steps", settings.images, "--warm-start", "none"]
    train_in(folder, painting, settings.content, *flags, *YARDSTICK, *LOSSES[settings.losses])
    return folder


def judgements_of(painting: Path, settings: argparse.Namespace) -> Iterator[Judgement]:
    """Train and judge all networks on one painting."""
    folders = {net: train(net, painting, settings) for net in settings.nets}
    page = settings.out / f"{painting.stem}.html"
    means = judge(folders, painting, settings.test, page)
    for net, folder in folders.items():
        cost = graph_cost(folder / f"{painting.stem}.onnx")
        yield Judgement(net, painting.stem, cost.macs_per_pixel, means[net])


def table(judgements: list[Judgement]) -> str:
    """Markdown, a row per network and painting."""
    lines = [
        f"| Painting | Network | multiply-accumulates per pixel | {' | '.join(MEASURES)} |",
        "|---" * (3 + len(MEASURES)) + "|",
    ]
    for each in judgements:
        values = " | ".join(f"{value:.3g}" for value in each.measures.values())
        lines.append(f"| {each.painting} | {each.net} | {each.macs_per_pixel:,.0f} | {values} |")
    return "\n".join(lines) + "\n"


def draw(judgements: list[Judgement], path: Path) -> None:
    """Total loss against multiply-accumulates per pixel, a line per painting."""
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for painting in dict.fromkeys(each.painting for each in judgements):
        own = sorted(
            (each.macs_per_pixel, each.measures["total"], each.net)
            for each in judgements
            if each.painting == painting
        )
        axes.plot([x for x, _, _ in own], [y for _, y, _ in own], "o-", label=painting)
        for x, y, net in own:
            axes.annotate(net, (x, y), textcoords="offset points", xytext=(4, 6), fontsize=8)
    axes.set(xscale="log", xlabel="multiply-accumulates per pixel", ylabel="content + 12 x style")
    axes.margins(x=0.25, y=0.1)
    axes.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, judge, write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", type=Path, nargs="+", required=True, help="paintings")
    parser.add_argument("--content", type=Path, required=True, help="photos to train on")
    parser.add_argument("--test", type=Path, required=True, help="photos to judge on")
    parser.add_argument("--images", type=int, default=6000, help="photos that each network sees")
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))
    parser.add_argument("--losses", choices=LOSSES, default="all", help="beside content and style")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and results")
    settings = parser.parse_args()
    if len({painting.stem for painting in settings.style}) < len(settings.style):
        parser.error("two paintings have the same name")
    judgements = [each for painting in settings.style for each in judgements_of(painting, settings)]
    (settings.out / "table.md").write_text(table(judgements))
    draw(judgements, settings.out / "figure.png")
    print(table(judgements), end="")


if __name__ == "__main__":
    main()
