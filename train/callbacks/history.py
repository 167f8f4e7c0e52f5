"""How the losses of a run went: ``history.csv``."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor

from nst.infer.files import atomic_write
from nst.train.system import Losses

ROW_STEPS = 10
"""Steps of which a row has the means. Reading the losses more often would hold up a GPU."""

TERMS = ("total", "content", "style", "total_variation", "stability", "grid")


class Row(NamedTuple):
    """Means over the last steps.

    Attributes:
        step: the last of them, from 1.
        seconds: of training until then, interruptions left out.
        learning_rate: at that step.
        kind: loss while the style is learned, knob while strengths below 1 are.
        terms: by name, those that are used.
    """

    step: int
    seconds: float
    learning_rate: float
    kind: str
    terms: dict[str, float]

    @property
    def total(self) -> float:
        """The weighted sum."""
        return self.terms["total"]


HEADER = ("step", "seconds", "learning_rate", "kind", *TERMS)


class History:
    """Collects the losses of the steps and writes a row for every ten of them."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._kind = ""
        self._terms: list[str] = []
        self._batches: list[Tensor] = []

    def begin(self, path: Path, before: Sequence[Row], *, after_step: int) -> None:
        """Begin the file with the rows up to a step. Nothing is written before that.

        Args:
            path: of the file.
            before: rows that there are.
            after_step: the step that the run goes on after; 0 for a new one.
        Raises:
            UserError: if the file cannot be written.
        """
        kept = [row for row in before if row.step <= after_step]
        self._path = path
        with atomic_write(path) as beside, beside.open("w", encoding="ascii", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(as_cells(row) for row in kept)

    def collect(self, losses: Losses) -> None:
        """Take the losses of a batch in this process; a step may be made of several."""
        terms = [name for name in TERMS if name in losses.terms]
        if (losses.kind, terms) != (self._kind, self._terms):
            self._kind, self._terms, self._batches = losses.kind, terms, []
        self._batches.append(torch.stack([losses.terms[name] for name in self._terms]))

    def end_step(self, trainer: pl.Trainer, *, seconds: float) -> Row | None:
        """Write the row that a step completes.

        Args:
            trainer: which has just done it.
            seconds: of training so far.
        Returns:
            The row, with means over all its batches in all processes; None in between.
        """
        if trainer.global_step % ROW_STEPS:
            return None
        device = self._batches[-1].device
        means = trainer.strategy.reduce(
            torch.stack([each.to(device) for each in self._batches]).mean(0), reduce_op="mean"
        )
        self._batches = []
        terms = dict(zip(self._terms, means.tolist(), strict=True))
        rate = max(group["lr"] for group in trainer.optimizers[0].param_groups)
        row = Row(trainer.global_step, seconds, rate, self._kind, terms)
        if self._path is not None:
            with self._path.open("a", encoding="ascii", newline="") as file:
                csv.writer(file).writerow(as_cells(row))
        return row

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: the losses of a row that is not complete."""
        return {"kind": self._kind, "terms": self._terms, "steps": list(self._batches)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with that row."""
        self._kind, self._batches = state["kind"], state["steps"]
        self._terms = state.get("terms", [])  # older checkpoints have none: their row is dropped


def as_cells(row: Row) -> list[str]:
    """As it stands in the file; what is not used is empty."""
    terms = [f"{row.terms[name]:.6g}" if name in row.terms else "" for name in TERMS]
    return [str(row.step), f"{row.seconds:.1f}", f"{row.learning_rate:.6g}", row.kind, *terms]


def read_history(path: Path) -> list[Row]:
    """The rows of a file; none if there is no file. Rows that are not whole are left out."""
    if not path.exists():
        return []
    with path.open(encoding="ascii", errors="replace", newline="") as file:
        lines = (line.replace("\0", "") for line in file)
        return [row for line in csv.DictReader(lines) if (row := from_cells(line)) is not None]


def from_cells(line: dict[str, str]) -> Row | None:
    """A row that was read; None if it cannot be understood."""
    try:
        terms = {name: float(line[name]) for name in TERMS if line[name]}
        return Row(
            int(line["step"]),
            float(line["seconds"]),
            float(line["learning_rate"]),
            line["kind"],
            terms,
        )
    except (KeyError, TypeError, ValueError):
        return None
