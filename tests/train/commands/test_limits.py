"""How long a run is, against a run that is played through step by step."""

import math
from datetime import timedelta
from pathlib import Path

import pytest
import torch

from nst.train.callbacks.trial import Pace
from nst.train.commands.limits import Done, Limits, is_finished, rest_of
from nst.train.schedule import phase_at
from tests.train.conftest import Train


def played(limits: Limits, done: Done, pace: Pace, knob_share: float) -> tuple[int, int, float]:
    """Steps of the style, of the knob, and seconds."""
    steps, seconds = done
    counts = [0, 0]
    while steps < limits.steps and seconds < limits.seconds:
        share = max(steps / limits.steps, seconds / limits.seconds)
        is_knob = phase_at(share, knob_share).knob is not None
        counts[is_knob] += 1
        steps += 1
        seconds += pace.knob_s if is_knob else pace.style_s
    return counts[0], counts[1], seconds - done.seconds


@pytest.mark.parametrize("knob_share", [0.0, 0.1, 0.6])
@pytest.mark.parametrize(
    ("limits", "done"),
    [
        (Limits(1000, math.inf), Done()),
        (Limits(1000, math.inf), Done(300, 70.0)),
        (Limits(1000, math.inf), Done(950, 200.0)),
        (Limits(math.inf, 300.0), Done()),
        (Limits(math.inf, 300.0), Done(1300, 290.0)),
        (Limits(1000, 220.0), Done()),
        (Limits(1000, 150.0), Done(200, 60.0)),
        (Limits(1000, 900.0), Done(200, 60.0)),
    ],
)
def test_the_rest_is_what_playing_it_through_gives(
    limits: Limits, done: Done, knob_share: float
) -> None:
    pace = Pace(0.25, 0.125)
    rest = rest_of(limits, done, pace=pace, knob_share=knob_share)
    style_steps, knob_steps, seconds = played(limits, done, pace, knob_share)
    assert rest.style_steps == pytest.approx(style_steps, abs=2)
    assert rest.knob_steps == pytest.approx(knob_steps, abs=3)
    assert rest.seconds == pytest.approx(seconds, abs=0.6)
    assert rest.steps == rest.style_steps + rest.knob_steps


def test_limits_of_settings() -> None:
    assert Limits.of(-1, None) == Limits(math.inf, math.inf)
    assert Limits.of(7, None) == Limits(7, math.inf)
    for max_time in ("00:01:00:30", timedelta(seconds=3630), {"hours": 1, "seconds": 30}):
        assert Limits.of(-1, max_time) == Limits(math.inf, 3630.0)


def test_what_a_checkpoint_says(train: Train, tmp_path: Path) -> None:
    assert train("--trainer.max_time", "00:01:00:00") == 0
    done = Done.in_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert done.steps == 3
    assert 0 < done.seconds < 60
    assert is_finished(tmp_path / "run", Limits(3, math.inf))
    assert is_finished(tmp_path / "run", Limits(math.inf, done.seconds))
    assert not is_finished(tmp_path / "run", Limits(4, 3600.0))
    torch.save({"state_dict": {}}, tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert not is_finished(tmp_path / "run", Limits(3, math.inf))
    assert not is_finished(tmp_path / "nowhere", Limits(0, 0.0))
