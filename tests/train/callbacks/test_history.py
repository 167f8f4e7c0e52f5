from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nst.train.callbacks.history import HEADER, History, Row, read_history
from nst.train.system import Losses


def trainer(step: int) -> Any:
    return SimpleNamespace(
        global_step=step,
        strategy=SimpleNamespace(reduce=lambda value, reduce_op: value),
        optimizers=[SimpleNamespace(param_groups=[{"lr": 1e-3}, {"lr": 0.0}])],
    )


def feed(history: History, steps: range, kind: str = "loss") -> list[Row]:
    rows = []
    for step in steps:
        losses = Losses(kind, {"style": torch.tensor(0.5), "total": torch.tensor(float(step))})
        history.collect(losses)
        rows.append(history.end_step(trainer(step), seconds=step / 2))
    return [row for row in rows if row is not None]


def test_a_row_has_the_means_of_ten_steps(tmp_path: Path) -> None:
    history = History()
    history.begin(tmp_path / "history.csv", [], after_step=0)
    rows = feed(history, range(1, 26))
    assert [row.step for row in rows] == [10, 20]
    assert rows[1].total == pytest.approx(15.5)
    assert rows[1].terms == {"total": pytest.approx(15.5), "style": 0.5}
    assert read_history(tmp_path / "history.csv") == rows
    assert (tmp_path / "history.csv").read_text().splitlines()[0] == ",".join(HEADER)


def test_the_knob_begins_a_new_mean(tmp_path: Path) -> None:
    history = History()
    history.begin(tmp_path / "history.csv", [], after_step=0)
    feed(history, range(1, 14))
    (row,) = feed(history, range(14, 21), kind="knob")
    assert row.kind == "knob"
    assert row.total == pytest.approx(17)


def test_all_batches_of_a_step_count() -> None:
    """Gradients of three are accumulated; the last one alone would say 3."""
    history = History()
    rows = []
    for step in range(1, 11):
        for total in (1.0, 2.0, 3.0):
            history.collect(Losses("loss", {"total": torch.tensor(total)}))
        rows.append(history.end_step(trainer(step), seconds=step))
    assert rows[-1] is not None
    assert rows[-1].total == pytest.approx(2.0)
    assert rows[:-1] == [None] * 9


def test_going_on_drops_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    history = History()
    history.begin(tmp_path / "history.csv", [], after_step=0)
    feed(history, range(1, 41))
    with (tmp_path / "history.csv").open("a") as file:
        file.write("50,1.0,")  # the power failed here
    again = History()
    again.begin(tmp_path / "history.csv", read_history(tmp_path / "history.csv"), after_step=20)
    assert [row.step for row in read_history(tmp_path / "history.csv")] == [10, 20]
    feed(again, range(21, 31))
    assert [row.step for row in read_history(tmp_path / "history.csv")] == [10, 20, 30]


def test_a_row_that_was_begun_is_completed_after_an_interruption(tmp_path: Path) -> None:
    whole, begun, later = History(), History(), History()
    (expected,) = feed(whole, range(1, 11))
    feed(begun, range(1, 7))
    later.load_state_dict(begun.state_dict())
    assert feed(later, range(7, 11)) == [expected]


@pytest.mark.parametrize("damage", [b"\xff\xfe\0", b"30,1", bytes(50), b"\xe2\x82,,,,,,,\n"])
def test_a_file_that_was_damaged(damage: bytes, tmp_path: Path) -> None:
    history = History()
    history.begin(tmp_path / "history.csv", [], after_step=0)
    rows = feed(history, range(1, 21))
    with (tmp_path / "history.csv").open("ab") as file:
        file.write(damage)
    assert read_history(tmp_path / "history.csv") == rows
