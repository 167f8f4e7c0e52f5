from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nst.train.callbacks import agreement as module
from nst.train.callbacks.agreement import Agreement, Wishes, steps_between

NOTHING = Wishes(0)


class Pair:
    """A trainer of two processes: what the other one says, and when they were asked."""

    def __init__(self) -> None:
        self.world_size, self.global_step = 2, 0
        self.strategy = SimpleNamespace(root_device=torch.device("cpu"), reduce=self.reduce)
        self.other = [0.0, 0.0, 0.0, 0.0]
        self.asked: list[int] = []

    def reduce(self, mine: torch.Tensor, reduce_op: str) -> torch.Tensor:
        assert reduce_op == "max"
        self.asked.append(self.global_step)
        return torch.maximum(mine, torch.tensor(self.other))


class Clock:
    now_s = 100.0


@pytest.mark.parametrize(
    ("step_s", "steps"), [(0.001, 10), (0.1, 10), (0.19, 5), (0.5, 2), (0.9, 1), (3, 1)]
)
def test_about_a_second(step_s: float, steps: int) -> None:
    assert steps_between(step_s) == steps


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    return clock


def do_steps(pair: Any, agreement: Agreement, clock: Clock, count: int, *, step_s: float) -> None:
    for _ in range(count):
        pair.global_step += 1
        clock.now_s += step_s
        assert agreement.reach(pair, NOTHING) == NOTHING


def test_slow_steps_are_agreed_on_one_by_one(clock: Clock) -> None:
    pair, agreement = Pair(), Agreement()
    do_steps(pair, agreement, clock, 5, step_s=3.0)
    assert pair.asked == [1, 2, 3, 4, 5]


def test_fast_steps_are_not(clock: Clock) -> None:
    pair, agreement = Pair(), Agreement()
    do_steps(pair, agreement, clock, 30, step_s=0.05)
    assert pair.asked == [1, 2, 10, 20, 30]
    pair.other = [0.0, 0.0, 0.0, 0.4]  # the other one has become slow
    do_steps(pair, agreement, clock, 14, step_s=0.05)
    assert pair.asked == [1, 2, 10, 20, 30, 40, 42, 44]


def test_what_one_wants_all_do() -> None:
    pair: Any = Pair()
    pair.global_step = 1
    pair.other = [15.0, 0.0, 1.0, 0.1]
    assert Agreement().reach(pair, Wishes(2, checkpoint=True)) == Wishes(
        15, checkpoint=True, notes=True
    )


def test_nobody_is_asked_by_a_process_alone() -> None:
    alone: Any = SimpleNamespace(world_size=1)
    assert Agreement().reach(alone, Wishes(2, checkpoint=True)) == Wishes(2, checkpoint=True)
