"""A training that diverges goes back to where it was well, and on in smaller steps.

The losses are looked at in means over ten steps. Weights are copied at each look, and a copy counts
as good once the steps after it are well too: damage shows in the losses of the next steps.
"""

import copy
import math
from collections import deque
from statistics import median
from typing import Any

import torch
from torch import nn

from nst.infer.errors import UserError
from nst.train.callbacks.history import Row
from nst.train.system import StyleTransferSystem

MOST_RESTORES = 3
RATE_FACTOR = 0.5
"""What the learning rate is multiplied by after each of them."""

SPIKE = 5.0
"""Times the usual loss from which on a mean over ten steps is no chance."""
USUAL_ROWS = 10
"""Rows whose median is the usual loss."""
LEAST_ROWS = 5
EARLY_SPIKE = 20.0
"""In place of ``SPIKE`` where fewer rows are known: photos differ."""

State = dict[str, Any]


class DivergedError(UserError):
    """The training goes wrong again and again; the state is the last good one."""


class LossGuard:
    """Looks after the losses of a run.

    Attributes:
        restores: how often it has gone back.
    """

    def __init__(self) -> None:
        self.restores = 0
        self._kind = ""
        self._usual: deque[float] = deque(maxlen=USUAL_ROWS)
        self._good: State | None = None
        self._newest: State | None = None

    def begin(self, system: StyleTransferSystem, optimizer: torch.optim.Optimizer) -> None:
        """Take what there is for good, where nothing better is known."""
        if self._good is None:
            self._good = snapshot(system, optimizer)

    @property
    def knows_nothing(self) -> bool:
        """Whether it would not see a loss that jumps in the next steps."""
        return not self._usual

    def expect(self, total: float) -> None:
        """Take the loss of a first step for usual."""
        if math.isfinite(total):
            self._usual.append(total)

    def check(
        self, row: Row, system: StyleTransferSystem, optimizer: torch.optim.Optimizer
    ) -> str | None:
        """Look at the last steps; go back if they went wrong.

        Args:
            row: their losses.
            system: what is trained.
            optimizer: with what.
        Returns:
            What was done, a line for the user; None if all is well.
        Raises:
            DivergedError: if it goes wrong again and again.
        """
        if row.kind != self._kind:
            if self._kind:
                self._usual.clear()
            self._kind = row.kind
        trouble = self.trouble(row, system)
        if trouble is None:
            self._usual.append(row.total)
            self._good = self._newest or self._good
            self._newest = snapshot(system, optimizer)
            return None
        return self._go_back(f"step {row.step}: {trouble}", system, optimizer)

    def forget_losses(self) -> None:
        """Find out anew what is usual: the loss is another one now."""
        self._usual.clear()

    def _go_back(
        self, trouble: str, system: StyleTransferSystem, optimizer: torch.optim.Optimizer
    ) -> str:
        assert self._good is not None, "begin() comes first"
        restore(self._good, system, optimizer)
        self._newest = None
        if self.restores == MOST_RESTORES:
            self.restores = 0  # whoever goes on with other settings begins anew
            raise DivergedError(
                f"the training diverged for the fourth time ({trouble}): lower "
                "--model.learning_rate or --model.style_strength, or try --trainer.precision "
                "32-true, with --resume"
            )
        self.restores += 1
        system.rate_factor = self.rate_factor
        return (
            f"{trouble}; back to the last good state, with {self.rate_factor:g} times the "
            "learning rate"
        )

    @property
    def rate_factor(self) -> float:
        """What the learning rate is to be multiplied by now."""
        return RATE_FACTOR**self.restores

    def trouble(self, row: Row, system: StyleTransferSystem) -> str | None:
        """What is wrong with the losses of the last steps, or with the weights after them."""
        if not math.isfinite(row.total):
            return "the loss is no number any more"
        if not is_finite(system.net):
            return "weights are no numbers any more"
        if self._usual and row.total > self._spike * median(self._usual):
            return f"the loss rose from {median(self._usual):.3g} to {row.total:.3g}"
        return None

    @property
    def _spike(self) -> float:
        return SPIKE if len(self._usual) >= LEAST_ROWS else EARLY_SPIKE

    def state_dict(self) -> State:
        """What a checkpoint keeps: all, so that what comes is judged as without interruption."""
        return {
            "restores": self.restores,
            "kind": self._kind,
            "usual": list(self._usual),
            "good": self._good,
            "newest": self._newest,
        }

    def load_state_dict(self, state: State) -> None:
        """Go on as a checkpoint says."""
        self.restores = state["restores"]
        self._kind = state["kind"]
        self._usual.extend(state["usual"])
        self._good, self._newest = state["good"], state["newest"]


def is_finite(module: nn.Module) -> bool:
    """Whether all weights are numbers."""
    return all(bool(torch.isfinite(value).all()) for value in module.parameters())


def snapshot(system: StyleTransferSystem, optimizer: torch.optim.Optimizer) -> State:
    """A copy of weights and of the state of the optimiser, where they are."""
    weights = {name: value.detach().clone() for name, value in system.net.state_dict().items()}
    return {"net": weights, "optimizer": copy.deepcopy(optimizer.state_dict())}


def restore(state: State, system: StyleTransferSystem, optimizer: torch.optim.Optimizer) -> None:
    """Go back to a copy, which stays as it is."""
    system.net.load_state_dict(state["net"])
    optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
