from datetime import timedelta
from types import SimpleNamespace

import pytest
from pytorch_lightning.callbacks import Timer

from nst.train.schedule import (
    FINAL_FACTOR,
    WARM_UP_STEPS,
    Phase,
    learning_rate_factor,
    phase_at,
    share_done,
)


def trainer(step: int, max_steps: int, timer: Timer | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        global_step=step, max_steps=max_steps, callbacks=[timer] if timer else []
    )


def share(*arguments: object) -> float:
    return share_done(trainer(*arguments))  # type: ignore[arg-type]


def test_the_learning_rate_warms_up_and_falls() -> None:
    assert learning_rate_factor(0, 0.0) == pytest.approx(1 / WARM_UP_STEPS)
    assert learning_rate_factor(WARM_UP_STEPS, 0.0) == 1.0
    assert learning_rate_factor(1000, 0.5) == pytest.approx((1 + FINAL_FACTOR) / 2)
    assert learning_rate_factor(1000, 1.0) == pytest.approx(FINAL_FACTOR)


def test_share_of_the_steps() -> None:
    assert share(25, 100) == 0.25
    assert share(0, -1) == 0.0
    assert share(120, 100) == 1.0


def test_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    timer = Timer(duration=timedelta(seconds=100))
    monkeypatch.setattr(timer, "time_elapsed", lambda stage="train": 40.0)
    assert share(10, 100, timer) == pytest.approx(0.4)
    assert share(70, 100, timer) == pytest.approx(0.7)
    assert share(10, -1, timer) == pytest.approx(0.4)


def test_the_knob_is_learned_last() -> None:
    assert phase_at(0.0, 0.1) == Phase(0.0, None)
    assert phase_at(0.45, 0.1) == Phase(0.5, None)
    assert phase_at(0.75, 0.5) == Phase(1.0, 0.5)
    assert phase_at(1.0, 0.5) == Phase(1.0, 1.0)


def test_a_run_without_a_knob() -> None:
    assert phase_at(0.5, 0.0) == Phase(0.5, None)
    assert phase_at(1.0, 0.0) == Phase(1.0, None)
