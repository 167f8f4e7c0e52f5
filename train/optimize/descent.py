"""Changing a picture step by step until J is small."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from nst.models.perceptual_loss import LossTerms

OptimizerName = Literal["lbfgs", "adam"]

ADAM_LEARNING_RATE = 0.02
"""In units of the picture's range, so that a pixel moves by at most 5 of 255 in a step."""

FIRST_LOSS = 1e5
"""What the first loss is scaled to for L-BFGS, whose thresholds are absolute in torch."""

RANGE_WEIGHT = 100.0
"""Of the mean squared distance of pixels from [0, 1], beside the loss divided by the first."""

FIRST_STEP = 0.01
"""Mean change of a pixel in the first step of L-BFGS, in units of the picture's range."""

HISTORY = 20
"""Steps that L-BFGS remembers; each holds two pictures in memory."""

NOISE_DEVIATION = 0.1


class Step(NamedTuple):
    """One evaluation of the loss and its gradient; ``number`` counts from 1."""

    number: int
    terms: LossTerms


class BudgetSpentError(Exception):
    """Ends L-BFGS where it asks for one evaluation too many."""


class Descent:
    """Minimises an objective over the pixels of one picture.

    Args:
        start: (1, 3, H, W), RGB in [0, 1], where to begin. It stays as it is.
        objective: picture to the terms of the loss.
        on_step: called after each evaluation.
    Attributes:
        best: the picture with the lowest loss so far, (1, 3, H, W), not clamped. It is there at
            any time, so that an interrupted run has something to show.
        best_loss: its loss, with what its pixels out of range cost.
        steps: evaluations so far.
    """

    def __init__(
        self,
        start: Tensor,
        objective: Callable[[Tensor], LossTerms],
        *,
        on_step: Callable[[Step], None] = lambda _: None,
    ) -> None:
        # L-BFGS flattens pictures, which it can only where rows follow each other in memory.
        self.picture = start.detach().clone(memory_format=torch.contiguous_format)
        self.picture.requires_grad_()
        self.objective = objective
        self.on_step = on_step
        self.best = start.detach().clone()
        self.best_loss = math.inf
        self.steps = 0
        self.first_loss = 0.0

    def run(self, steps: int, *, optimizer: OptimizerName = "lbfgs") -> Tensor:
        """Go on for a number of evaluations of the loss and its gradient.

        Args:
            steps: at least 1.
            optimizer: ``lbfgs`` or ``adam``.
        Returns:
            ``best``.
        Raises:
            FloatingPointError: if the loss is not a number.
        """
        if optimizer == "adam":
            adam = torch.optim.Adam([self.picture], lr=ADAM_LEARNING_RATE)
            for _ in range(steps):
                adam.step(self.evaluate)
        else:
            self.run_lbfgs(steps)
        return self.best

    def clamped_loss(self) -> float:
        """Loss of the best picture as it will be shown, clamped to [0, 1]."""
        with torch.no_grad():
            return float(self.objective(self.best.clamp(0, 1)).total)

    def run_lbfgs(self, steps: int) -> None:
        """L-BFGS with a line search, in units in which its first step is a visible one.

        torch divides the first step by the sum of all absolute gradients, so that the pixels
        together move by 1. In their own units that is nothing, and finding the right length from
        there takes several evaluations.
        """
        last = self.steps + steps
        unit = FIRST_STEP * self.picture.numel()
        variable = self.picture.detach() / unit

        def closure() -> float:
            if self.steps == last:
                raise BudgetSpentError
            with torch.no_grad():
                self.picture.copy_(variable * unit)
            loss = self.evaluate()
            assert self.picture.grad is not None
            variable.grad = self.picture.grad * unit
            return loss

        with suppress(BudgetSpentError):
            while True:  # it returns early where it finds no way down, and begins anew
                torch.optim.LBFGS(
                    [variable.requires_grad_()],
                    max_iter=steps,
                    max_eval=steps + 1,
                    history_size=HISTORY,
                    tolerance_grad=0,
                    tolerance_change=0,
                    line_search_fn="strong_wolfe",
                ).step(closure)  # type: ignore[no-untyped-call]

    def evaluate(self) -> float:
        """Loss and gradient of the picture as it is now, scaled so that the first loss is 1e5.

        Pixels out of range cost extra. Without that the optimum lies far outside, and clamping
        the picture to bytes in the end loses much of what was gained.
        """
        self.picture.grad = None
        terms = self.objective(self.picture)
        total = terms.total.item()
        if not math.isfinite(total):
            raise FloatingPointError(f"the loss is {total} after {self.steps} steps")
        self.first_loss = self.first_loss or max(total, 1e-12)
        excess = (self.picture - self.picture.clamp(0, 1)).square().mean()
        share = terms.total / self.first_loss + RANGE_WEIGHT * excess
        (FIRST_LOSS * share).backward()  # type: ignore[no-untyped-call]
        self.steps += 1
        value = share.item()
        loss = value * self.first_loss
        if loss < self.best_loss:
            self.best.copy_(self.picture.detach())
            self.best_loss = loss
        self.on_step(Step(self.steps, LossTerms(*(term.detach() for term in terms))))
        return FIRST_LOSS * value


def noise_like(image: Tensor, *, seed: int) -> Tensor:
    """Grey noise in [0, 1] of the shape and on the device of ``image``, to start from."""
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))
    return (0.5 + NOISE_DEVIATION * noise).clamp(0, 1).to(image.device)
