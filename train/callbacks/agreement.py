"""What several processes agree on, so that all do it after the same step."""

import math
import time
from typing import NamedTuple

import pytorch_lightning as pl
import torch

AGREE_S = 1.0
"""About how often they ask each other, which makes a GPU wait: not after every short step."""
AGREE_STEPS = (1, 2, 5, 10)
"""How many steps may lie between; after every tenth one a row of the history makes it wait too."""


class Wishes(NamedTuple):
    """What a process wants after a step.

    Attributes:
        signal: the number of one that was held back; 0 for none.
        checkpoint: whether the clock says that it is time for one.
        notes: whether it has something to tell.
    """

    signal: int
    checkpoint: bool = False
    notes: bool = False


class Agreement:
    """Makes what one process wants that which all do, about once a second.

    Attributes:
        every_steps: steps from one agreement to the next, the same in all processes.
    """

    def __init__(self) -> None:
        self.every_steps = AGREE_STEPS[0]
        self._last: tuple[int, float] | None = None

    def reach(self, trainer: pl.Trainer, wishes: Wishes) -> Wishes:
        """Ask the others, if it is time.

        Args:
            trainer: which has just done a step.
            wishes: of this process.
        Returns:
            Of all processes; nothing where they are not asked. A process alone gets its own.
        """
        if trainer.world_size == 1:
            return wishes
        if trainer.global_step % self.every_steps:
            return Wishes(0)
        mine = torch.tensor(
            [*wishes, self._step_s(trainer.global_step)], device=trainer.strategy.root_device
        )
        all_of_it = trainer.strategy.reduce(mine, reduce_op="max").tolist()
        signal, checkpoint, notes, step_s = all_of_it
        self.every_steps = steps_between(step_s)
        return Wishes(int(signal), bool(checkpoint), bool(notes))

    def _step_s(self, step: int) -> float:
        """How long steps took since the last agreement; infinity at the first one."""
        now_s = time.monotonic()
        last, self._last = self._last, (step, now_s)
        return math.inf if last is None else (now_s - last[1]) / (step - last[0])


def steps_between(step_s: float) -> int:
    """How many steps are about a second, of those that may lie between."""
    return max((each for each in AGREE_STEPS if each * step_s <= AGREE_S), default=AGREE_STEPS[0])
