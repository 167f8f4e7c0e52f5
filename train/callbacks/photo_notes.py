"""Which photos are not as they should be: whichever process met one, the first one tells it."""

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
        new = [line for line in dict.fromkeys(lines) if line not in self._known]
        self._known.update(new)
        self._untold += new

    def tell(self, trainer: pl.Trainer) -> None:
        """Tell what all processes have; they have to do so after the same step."""
        lines, self._untold = self._untold, []
        if trainer.world_size > 1:
            gathered: list[list[str]] = [[] for _ in range(trainer.world_size)]
            torch.distributed.all_gather_object(gathered, lines)
            lines = list(dict.fromkeys(line for each in gathered for line in each))
        if trainer.is_global_zero:
            there = set(self._notes.lines())
            for line in lines:
                if line not in there:
                    self._notes.add(line, aloud=line.startswith(SKIPPED))
        self._known.update(lines)
