"""Runs that diverge, with the fault really in them."""

import math
from pathlib import Path

import pytest
import torch

from nst.models import load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.guard import EARLY_SPIKE, LEAST_ROWS, SPIKE, DivergedError, LossGuard
from nst.train.callbacks.history import Row
from nst.train.photos import PhotoBatch
from nst.train.system import StyleTransferSystem
from tests.train.conftest import Train

Capture = pytest.CaptureFixture[str]


def poison_gradients(patch: pytest.MonkeyPatch, *, first: int, last: int, value: float) -> None:
    """What the gradients of some steps are multiplied by."""
    before = StyleTransferSystem.on_before_optimizer_step

    def poisoned(self: StyleTransferSystem, optimizer: torch.optim.Optimizer) -> None:
        if first <= self.global_step <= last:
            for parameter in self.net.parameters():
                if parameter.grad is not None:
                    parameter.grad.mul_(value)
        before(self, optimizer)

    patch.setattr(StyleTransferSystem, "on_before_optimizer_step", poisoned)


def test_a_poisoned_gradient_is_taken_back(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    poison_gradients(monkeypatch, first=34, last=34, value=math.nan)
    assert train("--trainer.max_steps", "60", "--run.checkpoint_every", "5") == 0
    expected = (
        "step 40: the loss is no number any more; back to the last good state, with 0.5 times"
    )
    assert expected in capsys.readouterr().err
    assert expected in (tmp_path / "run" / "notes.txt").read_text()
    trained = load_trained_net(tmp_path / "run")
    assert trained.training["steps"] == 60
    assert all(value.isfinite().all() for value in trained.net.state_dict().values())


def test_a_loss_that_jumps_is_taken_back(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    before = StyleTransferSystem.training_step

    def jumping(self: StyleTransferSystem, batch: PhotoBatch, batch_idx: int) -> torch.Tensor:
        if self.global_step == 71:
            with torch.no_grad():  # what a step of far too great a length does
                for parameter in self.net.parameters():
                    parameter.mul_(-30)
        return before(self, batch, batch_idx)

    monkeypatch.setattr(StyleTransferSystem, "training_step", jumping)
    assert train("--trainer.max_steps", "100", "--model.stability_weight", "0") == 0
    error = capsys.readouterr().err
    assert "step 80: the loss rose from" in error
    assert error.count("back to the last good state") == 1


def test_a_batch_that_is_not_the_last_of_its_step(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Its loss alone is infinite: the gradients stay numbers."""
    before = StyleTransferSystem.training_step

    def bad(self: StyleTransferSystem, batch: PhotoBatch, batch_idx: int) -> torch.Tensor:
        loss = before(self, batch, batch_idx)
        if batch_idx == 14:  # the first half of the eighth step
            assert self.latest is not None
            self.latest.terms["total"].fill_(math.inf)
        return loss

    monkeypatch.setattr(StyleTransferSystem, "training_step", bad)
    flags = ("--trainer.accumulate_grad_batches", "2", "--model.knob_share", "0")
    assert train(*flags, "--trainer.max_steps", "10") == 0
    assert "step 10: the loss is no number any more; back to" in capsys.readouterr().err


def test_a_run_that_goes_wrong_again_and_again_ends_with_advice(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    poison_gradients(monkeypatch, first=22, last=1000, value=math.nan)
    assert train("--trainer.max_steps", "200", "--run.checkpoint_every", "10") == 2
    lines = capsys.readouterr().err.splitlines()
    assert sum("back to the last good state" in line for line in lines) == 3
    assert "diverged for the fourth time" in lines[-1]
    assert "lower --model.learning_rate" in lines[-1]
    trained = load_trained_net(tmp_path / "run")
    assert all(value.isfinite().all() for value in trained.net.state_dict().values())


def test_a_resumed_run_keeps_the_lower_rate(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nst.train.cli import main

    with pytest.MonkeyPatch.context() as patch:
        poison_gradients(patch, first=24, last=24, value=math.nan)
        assert train("--trainer.max_steps", "40") == 0
    rates = []
    before = StyleTransferSystem.training_step

    def noted(self: StyleTransferSystem, batch: PhotoBatch, batch_idx: int) -> torch.Tensor:
        rates.append(self.rate_factor)
        return before(self, batch, batch_idx)

    monkeypatch.setattr(StyleTransferSystem, "training_step", noted)
    assert main(["--resume", str(tmp_path / "run"), "--trainer.max_steps", "42"]) == 0
    assert rates == [0.5, 0.5]


def row(step: int, total: float, kind: str = "loss") -> Row:
    return Row(step, 0.0, 1e-3, kind, {"total": total})


def settled(guard: LossGuard, system: StyleTransferSystem) -> torch.optim.Optimizer:
    optimizer = system.configure_optimizers()
    guard.begin(system, optimizer)
    for number in range(LEAST_ROWS):
        assert guard.check(row(number, 1 + 0.1 * (number % 2)), system, optimizer) is None
    return optimizer


@pytest.fixture
def system(painting: Path) -> StyleTransferSystem:
    from nst.models import TransformerNet

    net = TransformerNet(width=4, residual_blocks=1)
    return StyleTransferSystem(painting, net, style_size=96)


def test_it_goes_back_past_the_newest_copy(system: StyleTransferSystem) -> None:
    """The newest one is of the step whose damage shows now."""
    guard = LossGuard()
    optimizer = settled(guard, system)
    good = system.net.state_dict()["conv1.weight"].clone()
    with torch.no_grad():
        system.net.state_dict()["conv1.weight"].fill_(7)
    assert guard.check(row(50, 1.0), system, optimizer) is None  # copies the damage
    assert guard.check(row(60, math.inf), system, optimizer) is not None
    torch.testing.assert_close(system.net.state_dict()["conv1.weight"], good)
    assert system.rate_factor == 0.5


def test_what_is_no_spike(system: StyleTransferSystem) -> None:
    guard = LossGuard()
    optimizer = settled(guard, system)
    assert guard.check(row(100, 0.99 * SPIKE), system, optimizer) is None
    assert guard.check(row(110, 50.0, kind="knob"), system, optimizer) is None, "another loss"
    early = 0.99 * EARLY_SPIKE * 50.0
    assert guard.check(row(120, early, kind="knob"), system, optimizer) is None, "too early to say"


def test_a_run_that_explodes_in_its_first_steps(
    train: Train, tmp_path: Path, capsys: Capture
) -> None:
    """Not even its first ten steps are usual."""
    wild = ("--model.learning_rate", "5", "--model.stability_weight", "0")
    assert train("--trainer.max_steps", "60", *wild, "--model.knob_share", "0") == 2
    lines = capsys.readouterr().err.splitlines()
    assert any("step 10: the loss rose from" in line for line in lines)
    assert "diverged for the fourth time" in lines[-1]
    assert load_trained_net(tmp_path / "run").training["steps"] > 0


def test_what_was_usual_stays_known_after_going_back(system: StyleTransferSystem) -> None:
    guard = LossGuard()
    optimizer = settled(guard, system)
    assert guard.check(row(50, math.nan), system, optimizer) is not None
    assert guard.check(row(60, 2 * SPIKE), system, optimizer) is not None


def test_a_good_copy_is_kept_until_another_is_confirmed(system: StyleTransferSystem) -> None:
    guard = LossGuard()
    optimizer = settled(guard, system)
    good = system.net.state_dict()["conv1.weight"].clone()
    for step in (50, 70, 90):
        assert guard.check(row(step, math.nan), system, optimizer) is not None
        torch.testing.assert_close(system.net.state_dict()["conv1.weight"], good)
        with torch.no_grad():  # the first row after going back is well, its last step was not
            system.net.state_dict()["conv1.weight"].fill_(step)
        assert guard.check(row(step + 10, 1.0), system, optimizer) is None
    with pytest.raises(DivergedError, match="fourth time"):
        guard.check(row(110, math.nan), system, optimizer)
    torch.testing.assert_close(system.net.state_dict()["conv1.weight"], good)


def test_weights_that_are_no_numbers_are_never_copied(system: StyleTransferSystem) -> None:
    guard = LossGuard()
    optimizer = system.configure_optimizers()
    guard.begin(system, optimizer)
    good = system.net.state_dict()["conv1.weight"].clone()
    with torch.no_grad():
        system.net.state_dict()["conv1.weight"].fill_(math.nan)
    note = guard.check(row(10, 1.0), system, optimizer)
    assert note is not None
    assert "weights are no numbers" in note
    torch.testing.assert_close(system.net.state_dict()["conv1.weight"], good)


def test_a_run_that_goes_on_is_looked_after_as_before(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from nst.train.cli import main

    assert train("--trainer.max_steps", "65", "--model.knob_share", "0") == 0
    poison_gradients(monkeypatch, first=67, last=67, value=math.nan)
    assert main(["--resume", str(tmp_path / "run"), "--trainer.max_steps", "80"]) == 0
    assert "step 70: the loss is no number any more; back to" in capsys.readouterr().err
    guard = LossGuard()
    state = torch.load(tmp_path / "run" / LAST_CHECKPOINT, weights_only=True)
    guard.load_state_dict(state["callbacks"]["RunFolder"]["guard"])
    assert guard.restores == 1


def test_a_last_step_that_goes_wrong_where_a_checkpoint_is_due(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    poison_gradients(monkeypatch, first=14, last=14, value=math.nan)
    assert train("--trainer.max_steps", "15", "--run.checkpoint_every", "5") == 2
    assert "diverged in its last steps" in capsys.readouterr().err
    assert load_trained_net(tmp_path / "run").training["steps"] == 10
