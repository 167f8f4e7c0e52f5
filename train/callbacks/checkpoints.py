"""The checkpoints of a run: when, and how they are kept whole."""

import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io import TorchCheckpointIO

from nst.infer.files import UNFINISHED, atomic_write
from nst.models.checkpoints import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from nst.train.callbacks.guard import is_finite

FIRST_AFTER_S = 10.0
"""How long after the first step the first checkpoint is written."""


class Checkpoints:
    """Writes checkpoints beside and renames them; keeps the last two.

    Args:
        folder: of the run.
        every_steps: a checkpoint at least that often,
        every_minutes: and that often.
        last_is_whole: whether there is a last one that was read; one that could not be is dropped.
    """

    def __init__(
        self, folder: Path, *, every_steps: int, every_minutes: float, last_is_whole: bool
    ) -> None:
        self.last = folder / LAST_CHECKPOINT
        self.previous = folder / PREVIOUS_CHECKPOINT
        self.every_steps = every_steps
        self.every_s = 60 * every_minutes
        self.saved_step = 0
        self._last_is_whole = last_is_whole
        self._due_s: float | None = None

    def is_time(self) -> bool:
        """Whether the clock of this process says so. The first call is after the first step."""
        now_s = time.monotonic()
        if self._due_s is None:
            self._due_s = now_s + min(FIRST_AFTER_S, self.every_s)
        return now_s >= self._due_s

    def is_due(self, step: int, *, is_time: bool) -> bool:
        """Whether one is to be written after a step.

        Args:
            step: that was done.
            is_time: whether the clock says so, the same in all processes.
        """
        return is_time or step % self.every_steps == 0

    def save(self, trainer: pl.Trainer) -> bool:
        """Write one, unless the weights are no numbers: such a state is not worth keeping.

        Returns:
            Whether it is written.
        Raises:
            UserError: if it cannot be written. Those before it stay.
        """
        self._due_s = time.monotonic() + self.every_s
        if not is_finite(trainer.lightning_module):
            return False
        if trainer.is_global_zero:
            with atomic_write(self.last) as path:
                trainer.save_checkpoint(path)
                if self._last_is_whole:
                    self._keep_last()
            self._last_is_whole = True
        else:
            trainer.save_checkpoint(self.last)  # takes part, and writes nothing
        self.saved_step = trainer.global_step
        return True

    def _keep_last(self) -> None:
        """Make what is the last one now the one before, without a time in which there is none."""
        beside = self.previous.with_name(f".{self.previous.name}{UNFINISHED}link")
        beside.unlink(missing_ok=True)
        try:
            beside.hardlink_to(self.last)
        except OSError:  # a file system without links
            self.last.replace(self.previous)
        else:
            beside.replace(self.previous)


class PlainCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint where it is told to.

    Lightning's own way goes through the folder for temporary files, which may be small.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a file, as a whole: on a full disk torch itself raises no OSError."""
        content = BytesIO()
        torch.save(checkpoint, content)
        Path(path).write_bytes(content.getbuffer())
