import io
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from nst.train.callbacks.progress import TrainingProgress
from nst.train.photos import PhotoBatch


def trainer(step: int, max_steps: int = 100) -> Any:
    losses = {"loss/total": 1.5, "loss/content": 1.0, "loss/style": 0.04}
    return SimpleNamespace(
        global_step=step,
        max_steps=max_steps,
        world_size=1,
        callbacks=[],
        callback_metrics=losses,
    )


class Clock:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


CLOCK = Clock()


def advance(progress: TrainingProgress, now_s: float, step: int, photos: int = 4) -> None:
    batch = PhotoBatch(torch.zeros(photos, 3, 2, 2), [0] * photos, [], [])
    CLOCK.now_s = now_s
    progress.on_train_batch_end(trainer(step), None, None, batch, step)  # type: ignore[arg-type]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    CLOCK.now_s = 100.0
    monkeypatch.setattr("nst.train.callbacks.progress.time", CLOCK)
    monkeypatch.setattr("nst.train.live_line.time", CLOCK)
    return io.StringIO()


def test_plain_lines_at_intervals(stream: io.StringIO) -> None:
    progress = TrainingProgress(stream)
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    for step in range(1, 26):
        advance(progress, 100.0 + step, step)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0] == (
        "step 10/100  loss 1.500 (content 1.000, style 0.0400)  4.0 images/s  1:30 left"
    )
    assert lines[1].startswith("step 20/100")


def test_the_time_of_the_knob_is_named(stream: io.StringIO) -> None:
    progress = TrainingProgress(stream)
    late = trainer(95)
    late.callback_metrics |= {"knob/total": 0.5, "knob/content": 0.2, "knob/style": 0.1}
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    CLOCK.now_s = 190.0
    assert "knob: loss 0.500 (content 0.200" in progress.status(late, all_losses=True)


def test_the_end_is_printed(stream: io.StringIO) -> None:
    progress = TrainingProgress(stream)
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    advance(progress, 102.0, 100)
    progress.on_train_end(trainer(100), None)  # type: ignore[arg-type]
    assert stream.getvalue().splitlines()[-1].endswith("2.0 images/s  0:00 left")


def on_terminal(stream: io.StringIO, width: int) -> TrainingProgress:
    progress = TrainingProgress(stream)
    progress.line.console = Console(file=stream, force_terminal=True, width=width)
    progress.line.bar.live.console = progress.line.console
    return progress


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_one_live_line(width: int, stream: io.StringIO) -> None:
    progress = on_terminal(stream, width)
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    advance(progress, 110.0, 50)
    progress.on_exception(trainer(50), None, KeyboardInterrupt())  # type: ignore[arg-type]
    shown = stream.getvalue()
    assert "━" in shown
    assert "step 50/100  loss 1.500" in shown
    assert "0.4 images/s  0:10 left" in shown
    assert ("content 1.000" in shown) == (width == 120)
    assert not progress.line.bar.live.is_started


def test_the_speed_is_that_of_the_last_steps(stream: io.StringIO) -> None:
    progress = TrainingProgress(stream)
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    for step in range(1, 101):  # 1 image/s, then 10 images/s
        now_s = 100.0 + step if step <= 50 else 150.0 + 0.1 * (step - 50)
        advance(progress, now_s, step, photos=1)
    assert progress.images_per_s == pytest.approx(10.0)


def test_nothing_is_printed_on_other_processes(stream: io.StringIO) -> None:
    progress = TrainingProgress(stream)
    progress.disable()
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    advance(progress, 200.0, 50)
    progress.on_train_end(trainer(100), None)  # type: ignore[arg-type]
    assert stream.getvalue() == ""
