"""How long a run is, how much of it is done, and how long the rest takes."""

import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from pytorch_lightning.callbacks import Timer

from nst.models import ModelFileError
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.models.tensor_files import read_tensor_file
from nst.train.callbacks.trial import Pace


class Limits(NamedTuple):
    """What ends a run: what comes first. Infinite where there is no limit.

    Attributes:
        steps: all of them.
        seconds: of training.
    """

    steps: float
    seconds: float

    @classmethod
    def of(cls, max_steps: int, max_time: str | timedelta | Mapping[str, int] | None) -> "Limits":
        """From the settings of the trainer."""
        seconds = None
        if max_time is not None:
            duration = max_time if isinstance(max_time, str | timedelta) else dict(max_time)
            seconds = Timer(duration).time_remaining()
        return cls(
            math.inf if max_steps == -1 else max_steps, math.inf if seconds is None else seconds
        )


class Done(NamedTuple):
    """How far a run is.

    Attributes:
        steps: that were done.
        seconds: of training that count for a limit of the time.
    """

    steps: int = 0
    seconds: float = 0.0

    @classmethod
    def in_checkpoint(cls, path: Path) -> "Done":
        """What a checkpoint says.

        Raises:
            ModelFileError: if it cannot be read.
        """
        content = read_tensor_file(path)
        timer = content.get("callbacks", {}).get(Timer.__qualname__, {})
        return cls(int(content["global_step"]), timer.get("time_elapsed", {}).get("train", 0.0))

    def reaches(self, limits: Limits) -> bool:
        """Whether there is nothing left to do."""
        return self.steps >= limits.steps or self.seconds >= limits.seconds


def is_finished(folder: Path, limits: Limits) -> bool:
    """Whether the run in a folder has nothing left to do. No, if that cannot be read."""
    path = folder / LAST_CHECKPOINT
    try:
        return path.exists() and Done.in_checkpoint(path).reaches(limits)
    except (ModelFileError, OSError, KeyError, TypeError, ValueError):
        return False


class Rest(NamedTuple):
    """What is left of a run.

    Attributes:
        style_steps: at full strength.
        knob_steps: that teach strengths below 1.
        seconds: that both take.
    """

    style_steps: int
    knob_steps: int
    seconds: float

    @property
    def steps(self) -> int:
        """Of both kinds."""
        return self.style_steps + self.knob_steps


def rest_of(limits: Limits, done: Done, *, pace: Pace, knob_share: float) -> Rest:
    """What is left of a run at a pace.

    The knob's time begins where either limit says so, as ``schedule.phase_at`` has it.

    Args:
        limits: at least one of them finite.
        done: how far it is.
        pace: how long steps take.
        knob_share: how much of the run is kept for the knob.
    """
    style_share = 1 - knob_share
    style_s = max(
        0.0,
        min(
            (style_share * limits.steps - done.steps) * pace.style_s,
            style_share * limits.seconds - done.seconds,
        ),
    )
    style_steps = style_s / pace.style_s
    knob_s = max(
        0.0,
        min(
            (limits.steps - done.steps - style_steps) * pace.knob_s,
            limits.seconds - done.seconds - style_s,
        ),
    )
    knob_steps = knob_s / pace.knob_s
    whole = round(style_steps)
    return Rest(whole, round(style_steps + knob_steps) - whole, style_s + knob_s)
