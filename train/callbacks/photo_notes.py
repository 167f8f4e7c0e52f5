"""Which photos are not as they should be: whichever process met one, the first one tells it."""

from collections.abc import Iterable

import pytorch_lightning as pl
import torch.distributed

from nst.train.callbacks.notes import ENLARGED, SKIPPED, Notes
from nst.train.photos import PhotoBatch


class PhotoNotes:
    """Tells of each photo once, photos that were left out aloud.

    Args:
        notes: of the run, where those before an interruption are.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._known = set(notes.lines())
        self._untold: list[str] = []

    @property
    def has_untold(self) -> bool:
        """Whether there is something to tell in this process."""
        return bool(self._untold)

    def collect(self, batch: PhotoBatch) -> None:
        """Take what there is to tell of the photos of a batch."""
        lines = [f"{SKIPPED}{line}" for line in batch.unreadable]
        lines += [f"{ENLARGED}{line}" for line in batch.small]
        self._untold += self._new(line for line in lines if line not in self._untold)

    def tell(self, trainer: pl.Trainer) -> None:
        """Tell what all processes have; they have to do so after the same step."""
        lines, self._untold = self._untold, []
        if trainer.world_size > 1:
            gathered: list[list[str]] = [[] for _ in range(trainer.world_size)]
            torch.distributed.all_gather_object(gathered, lines)
            lines = self._new(line for each in gathered for line in each)
        if trainer.is_global_zero:
            for line in lines:
                self._notes.add(line, aloud=line.startswith(SKIPPED))
        self._known.update(lines)

    def _new(self, lines: Iterable[str]) -> list[str]:
        """Each once, without those that were told."""
        return [line for line in dict.fromkeys(lines) if line not in self._known]
