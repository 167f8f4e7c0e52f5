"""What a warm start saves: loss against wall time, begun from the base and from nothing.

    python tests/benchmarks/warm_start.py --style PAINTING --content PHOTOS --test PHOTOS \\
        --runs base:1500 none:1500 none:6000 --out FOLDER

Trains a network for each of the runs with the defaults of ``nst-train``, for so many steps, judges
them with ``nst-evaluate`` on photos that were not trained on, and writes a table (``table.md``) and
a figure of the losses on the way (``figure.png``) into the folder. A training that is there goes
on, so that it can be stopped and started again: for other photos or flags take another folder.
Compare times only of runs that had the machine to themselves, or shared it alike; the table's rate
tells.
"""

import argparse
import statistics
from pathlib import Path
from typing import NamedTuple, Self

import matplotlib
from matplotlib import pyplot
from train_and_judge import MEASURES, judge, train_in

from nst.train.callbacks.history import read_history
from nst.train.callbacks.run_files import HISTORY

matplotlib.use("agg")

ROWS_PER_POINT = 20
"""Rows of ``history.csv``, which differ by their photos, that make a point of the figure."""


class Begun(NamedTuple):
    """A run: where it begins, and for how many steps."""

    warm_start: str
    steps: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Such as ``base:1500``."""
        warm_start, _, steps = text.rpartition(":")
        return cls(warm_start, int(steps))

    def __str__(self) -> str:
        return f"{self.warm_start}, {self.steps:,} steps"


def train(begun: Begun, settings: argparse.Namespace) -> Path:
    """The run folder of a finished training."""
    folder: Path = settings.out / f"{begun.warm_start}_{begun.steps}"
    flags = ["--warm-start", begun.warm_start, "--trainer.max_steps", begun.steps]
    train_in(folder, settings.style, settings.content, *flags, *settings.flags)
    return folder


def losses(folder: Path) -> tuple[list[float], list[float]]:
    """Minutes, and medians of the training loss until then, without the knob's steps."""
    rows = [row for row in read_history(folder / HISTORY) if row.kind == "loss"]
    chunks = [
        rows[first : first + ROWS_PER_POINT]
        for first in range(0, len(rows) - ROWS_PER_POINT + 1, ROWS_PER_POINT)
    ]
    minutes = [chunk[-1].seconds / 60 for chunk in chunks]
    return minutes, [statistics.median(row.total for row in chunk) for chunk in chunks]


def table(folders: dict[Begun, Path], judged: dict[str, dict[str, float]]) -> str:
    """Markdown, a row per run."""
    lines = [
        f"| Begins with | steps | minutes | steps/s | {' | '.join(MEASURES)} |",
        "|---" * (4 + len(MEASURES)) + "|",
    ]
    for begun, folder in folders.items():
        last = read_history(folder / HISTORY)[-1]
        values = " | ".join(f"{value:.3g}" for value in judged[str(begun)].values())
        time_taken = f"{last.seconds / 60:.1f} | {last.step / last.seconds:.1f}"
        lines.append(f"| {begun.warm_start} | {begun.steps:,} | {time_taken} | {values} |")
    return "\n".join(lines) + "\n"


def draw(folders: dict[Begun, Path], path: Path) -> None:
    """Training loss against minutes, a line per run."""
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for begun, folder in folders.items():
        axes.plot(*losses(folder), label=str(begun))
    axes.set(xlabel="minutes", ylabel=f"training loss, medians of {ROWS_PER_POINT}")
    axes.legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, judge, write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", type=Path, required=True, help="painting")
    parser.add_argument("--content", type=Path, required=True, help="photos to train on")
    parser.add_argument("--test", type=Path, required=True, help="photos to judge on")
    parser.add_argument("--runs", type=Begun.parse, nargs="+", required=True, help="START:STEPS")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs and results")
    parser.add_argument("flags", nargs="*", help="after --, more flags of nst-train")
    settings = parser.parse_args()
    folders = {begun: train(begun, settings) for begun in settings.runs}
    networks = {str(begun): folder for begun, folder in folders.items()}
    judged = judge(networks, settings.style, settings.test, settings.out / "evaluation.html")
    (settings.out / "table.md").write_text(table(folders, judged), encoding="utf-8")
    draw(folders, settings.out / "figure.png")
    print(table(folders, judged), end="")


if __name__ == "__main__":
    main()
