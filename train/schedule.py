"""How far a run is, and what learning rate belongs there."""

import math
from typing import NamedTuple

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Timer

WARM_UP_STEPS = 20
FINAL_FACTOR = 0.02


def share_done(trainer: pl.Trainer) -> float:
    """How much of a run is over, from 0 to 1: of its steps or of its time, whichever is more."""
    shares = [0.0]
    if trainer.max_steps > 0:
        shares.append(trainer.global_step / trainer.max_steps)
    for timer in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(timer, Timer) and (left := timer.time_remaining()) is not None:
            elapsed = timer.time_elapsed()
            shares.append(elapsed / max(elapsed + left, 1e-9))
    return min(1.0, max(shares))


def agreed_share(trainer: pl.Trainer) -> float:
    """``share_done`` of the first process, in all of them: their clocks differ."""
    share = share_done(trainer)
    timers = (isinstance(each, Timer) for each in trainer.callbacks)  # type: ignore[attr-defined]
    if trainer.world_size > 1 and any(timers):
        return float(trainer.strategy.broadcast(share))
    return share


class Phase(NamedTuple):
    """What a run learns now.

    Attributes:
        style: how much of the time for the style itself is over, 0 to 1.
        knob: how much of the time for strengths below 1 is over; None before that begins.
    """

    style: float
    knob: float | None


def phase_at(share: float, knob_share: float) -> Phase:
    """The style first, then the strength knob.

    Args:
        share: how much of the run is over, 0 to 1.
        knob_share: how much of the run is kept for the knob, 0 to below 1.
    """
    left = share - (1 - knob_share)
    if knob_share == 0 or left < 0:
        return Phase(min(1.0, share / (1 - knob_share)), None)
    return Phase(1.0, min(1.0, left / knob_share))


def learning_rate_factor(step: int, share: float) -> float:
    """Factor on the learning rate: linear warm-up, then a cosine down to nearly 0.

    Args:
        step: steps done.
        share: how much of the run is over, 0 to 1.
    """
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    cosine = (1 + math.cos(math.pi * share)) / 2
    return warm_up * (FINAL_FACTOR + (1 - FINAL_FACTOR) * cosine)
