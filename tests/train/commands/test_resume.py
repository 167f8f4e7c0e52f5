"""Runs that were interrupted, and go on: in the same way as if nothing had been."""

import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageOps

from nst.export import ExportReport
from nst.infer.errors import UserError
from nst.models import TrainedNet, load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from nst.train.callbacks.history import read_history
from nst.train.commands.arguments import read_request
from nst.train.commands.resume import find_checkpoint
from nst.train.commands.settings import DEFAULT_MAX_STEPS, parse
from nst.train.system import StyleTransferSystem
from tests.train.conftest import Train, skip_export

Capture = pytest.CaptureFixture[str]
STEPS = 24


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_trained_net(run).net.state_dict()


def assert_same_runs(run: Path, other: Path) -> None:
    """Weights, the state of the optimiser and what the file tells of itself, bit for bit."""
    states = [torch.load(path / LAST_CHECKPOINT, weights_only=True) for path in (run, other)]
    for key in ("state_dict", "optimizer_states", "nst", "recent_losses"):
        torch.testing.assert_close(
            *(flat(state[key]) for state in states), rtol=0, atol=0, equal_nan=True
        )
    histories = [
        [row._replace(seconds=0) for row in read_history(path / "history.csv")]
        for path in (run, other)
    ]
    assert histories[0] == histories[1]


def flat(value: object, name: str = "") -> dict[str, object]:
    """Nested dictionaries and lists as one."""
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = dict(enumerate(value)).items()
    else:
        return {name: value if isinstance(value, torch.Tensor | float | int) else hash(str(value))}
    return {
        key: each for name2, part in items for key, each in flat(part, f"{name}/{name2}").items()
    }


EXACT = ("--trainer.precision", "32-true", "--trainer.max_steps", str(STEPS), "--data.workers", "1")


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    train: Train, photos: Path, tmp_path: Path
) -> None:
    """Stopped in the time of the knob, after a photo was left out, with a reading process."""
    (photos / "broken.jpg").write_bytes(b"no photo")
    assert train(*EXACT, "--model.knob_share", "0.5", out="whole") == 0
    interrupt_after(train, tmp_path / "parts", 17, *EXACT, "--model.knob_share", "0.5")
    from nst.train.cli import main

    assert main(["--resume", str(tmp_path / "parts")]) == 0
    assert_same_runs(tmp_path / "whole", tmp_path / "parts")


def interrupt_after(train: Train, run: Path, step: int, *flags: str) -> None:
    """A run in ``run`` that gets a Ctrl-C in the middle of a step."""
    training_step = StyleTransferSystem.training_step
    pending = [signal.SIGINT]

    def interrupted(self: StyleTransferSystem, batch: object, batch_idx: int) -> torch.Tensor:
        if self.global_step == step - 1 and pending:
            signal.raise_signal(pending.pop())
        return training_step(self, batch, batch_idx)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StyleTransferSystem, "training_step", interrupted)
        assert train(*flags, out=run.name) == 130
    assert torch.load(run / LAST_CHECKPOINT, weights_only=True)["global_step"] == step


def test_with_accumulated_gradients_adam_and_a_time_limit(train: Train, tmp_path: Path) -> None:
    flags = (
        *EXACT,
        *("--trainer.accumulate_grad_batches", "3", "--model.optimizer", "adam"),
        *("--trainer.max_time", "01:00:00:00"),
    )
    from nst.train.cli import main

    assert train(*flags, out="whole") == 0
    interrupt_after(train, tmp_path / "parts", 5, *flags)
    assert main(["--resume", str(tmp_path / "parts")]) == 0
    # The learning rate follows the share of the time, which differs by milliseconds in 24 hours.
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value)


KILLED = """
import os, signal, sys
from nst.train.system import StyleTransferSystem
step, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))
before = StyleTransferSystem.training_step
def killed(self, batch, batch_idx):
    if self.global_step == step:
        os.kill(os.getpid(), number)
    return before(self, batch, batch_idx)
StyleTransferSystem.training_step = killed
from nst.train.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("number", "status", "kept"),
    [(signal.SIGKILL, -9, 10), (signal.SIGTERM, 143, 14)],
)
def test_a_killed_run_goes_on_at_its_last_checkpoint(
    number: signal.Signals,
    status: int,
    kept: int,
    train: Train,
    painting: Path,
    photos: Path,
    tmp_path: Path,
) -> None:
    from nst.train.cli import main

    flags = [
        *("--style", str(painting), "--content", str(photos), "--model.style_size", "96"),
        *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
        *("--data.crop_px", "48", "--data.batch_size", "2", *EXACT),
        *("--run.checkpoint_every", "5"),
    ]
    result = subprocess.run(
        [
            *(sys.executable, "-c", KILLED, "13", str(int(number))),
            *(*flags, "--out", str(tmp_path / "parts")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stderr
    assert "Traceback" not in result.stderr
    checkpoint = find_checkpoint(tmp_path / "parts")
    assert checkpoint is not None
    assert checkpoint.step == kept
    assert train("--run.checkpoint_every", "5", *EXACT, out="whole") == 0
    assert main(["--resume", str(tmp_path / "parts")]) == 0
    assert_same_runs(tmp_path / "whole", tmp_path / "parts")


def test_two_checkpoints_are_kept(train: Train, tmp_path: Path) -> None:
    assert train("--trainer.max_steps", "6", "--run.checkpoint_every", "2") == 0
    steps = [
        torch.load(tmp_path / "run" / name, weights_only=True)["global_step"]
        for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT)
    ]
    assert steps == [6, 4]


@pytest.mark.parametrize("damage", ["half", "empty", "missing", "zeros"])
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(
    damage: str, train: Train, tmp_path: Path, capsys: Capture
) -> None:
    from nst.train.cli import main

    run = tmp_path / "run"
    assert train("--trainer.max_steps", "4", "--run.checkpoint_every", "2") == 0
    last = run / LAST_CHECKPOINT
    data = last.read_bytes()
    if damage == "missing":
        last.unlink()
    else:
        contents = {"half": data[: len(data) // 2], "empty": b"", "zeros": bytes(len(data))}
        last.write_bytes(contents[damage])
    capsys.readouterr()
    assert main(["--resume", str(run)]) == 0
    assert f"going on with {run / PREVIOUS_CHECKPOINT}, the one before" in capsys.readouterr().err
    steps = [
        torch.load(run / name, weights_only=True)["global_step"]
        for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT)
    ]
    assert steps == [4, 2], "the good one is not replaced by the damaged one"


def test_a_finished_run_can_be_made_longer(train: Train, tmp_path: Path) -> None:
    from nst.train.cli import main

    run = tmp_path / "run"
    assert train() == 0
    assert main(["--resume", str(run), "--trainer.max_steps", "5"]) == 0
    assert load_trained_net(run).training["steps"] == 5
    assert "max_steps: 5" in (run / "config.yaml").read_text()


def test_a_run_goes_on_in_another_folder(train: Train, tmp_path: Path, capsys: Capture) -> None:
    from nst.train.cli import main

    def resume(*flags: str) -> int:
        return main(["--resume", str(tmp_path / "a"), "--out", str(tmp_path / "b"), *flags])

    assert train("--trainer.max_steps", "10", out="a") == 0
    assert resume() == 2
    assert "nothing is left of this run" in capsys.readouterr().err
    assert resume("--trainer.max_steps", "20") == 0
    assert [row.step for row in read_history(tmp_path / "b" / "history.csv")] == [10, 20]
    assert [row.step for row in read_history(tmp_path / "a" / "history.csv")] == [10]
    before = weights(tmp_path / "b")
    assert resume("--trainer.max_steps", "11") == 2
    assert "b holds a finished or interrupted run" in capsys.readouterr().err
    after = weights(tmp_path / "b")
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert resume("--trainer.max_steps", "11", "--run.overwrite", "true") == 0
    assert load_trained_net(tmp_path / "b").training["steps"] == 11
    assert not (tmp_path / "b" / "checkpoints" / "previous.ckpt").exists()


def test_a_run_goes_on_with_other_losses(train: Train, tmp_path: Path) -> None:
    """In the middle of the ten steps of a row; more style is no fault of the training."""
    from nst.train.cli import main

    assert train("--trainer.max_steps", "62", "--model.knob_share", "0") == 0
    more = ("--model.stability_weight", "0", "--model.style_strength", "100")
    assert main(["--resume", str(tmp_path / "run"), "--trainer.max_steps", "80", *more]) == 0
    assert not (tmp_path / "run" / "notes.txt").exists()
    last = read_history(tmp_path / "run" / "history.csv")[-1]
    assert last.step == 80
    assert "stability" not in last.terms


def test_what_the_settings_of_a_run_do_not_hold(
    train: Train, painting: Path, tmp_path: Path, capsys: Capture
) -> None:
    """Neither the leave to overwrite, nor a length that nobody named."""
    from nst.train.cli import main

    config = tmp_path / "run" / "config.yaml"
    assert train("--run.overwrite", "true") == 0
    assert "overwrite: false" in config.read_text()
    assert main(["--config", str(config)]) == 2
    assert "holds a finished or interrupted run" in capsys.readouterr().err
    cli = parse([f"--config={config}", "--trainer.max_steps=-1", f"--run.out={tmp_path / 'long'}"])
    assert cli.trainer.max_steps == DEFAULT_MAX_STEPS
    assert "max_steps: -1" in (tmp_path / "long" / "config.yaml").read_text()


def test_nothing_is_written_to_the_folder_for_temporary_files(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert train() == 0


def test_a_finished_run_is_exported_if_it_was_not(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from nst.train.cli import main

    run, exported = tmp_path / "run", []

    def export(trained: TrainedNet, path: Path) -> ExportReport:
        exported.append(path)
        return skip_export(trained, path)

    assert train() == 0
    before = weights(run)
    monkeypatch.setattr("nst.train.commands.one_run.export_onnx", export)
    model = run / "waves.onnx"
    for age, times in (("missing", 1), ("older", 2), ("newer", 2)):
        if age != "missing":
            model.touch()
            os.utime(model, (0, 0) if age == "older" else None)
        assert main(["--resume", str(run)]) == 0
        out = capsys.readouterr().out
        assert "nothing is left of this run" in out
        assert f"next: nst-infer photo.jpg --style {model}" in out
        assert exported == times * [model]
    after = weights(run)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_where_there_is_no_run_one_begins(
    train: Train, painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    """So that a scheduler can call the same command again."""
    from nst.train.cli import main

    command = [
        *("--resume", str(tmp_path / "new"), "--style", str(painting), "--content", str(photos)),
        *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
        *("--data.crop_px", "48", "--model.style_size", "96", "--data.workers", "0"),
    ]
    train("--trainer.max_steps", "1")  # leaves the export out
    assert main([*command, "--trainer.max_steps", "2"]) == 0
    assert main([*command, "--trainer.max_steps", "3"]) == 0
    assert load_trained_net(tmp_path / "new").training["steps"] == 3


def test_what_cannot_go_on(train: Train, tmp_path: Path, capsys: Capture) -> None:
    from nst.train.cli import main

    def error_of(*arguments: str) -> str:
        capsys.readouterr()
        assert main(list(arguments)) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    assert "no run to go on with" in error_of("--resume", str(tmp_path / "nowhere"))
    run = tmp_path / "run"
    assert train() == 0
    assert "another network" in error_of("--resume", str(run), "--net.width", "8")
    assert "another --model.optimizer" in error_of("--resume", str(run), "--model.optimizer=adam")
    assert main(["--resume", str(run), "--trainer.max_steps", "4"]) == 0, "its settings are whole"
    shutil.copytree(run, tmp_path / "bare")
    (tmp_path / "bare" / "config.yaml").unlink()
    assert "are missing" in error_of("--resume", str(tmp_path / "bare"))
    for damage in (b"", bytes(40), b"model: {"):
        (tmp_path / "bare" / "config.yaml").write_bytes(damage)
        assert "bare/config.yaml, are damaged" in error_of("--resume", str(tmp_path / "bare"))
    for name in (LAST_CHECKPOINT, PREVIOUS_CHECKPOINT):
        (run / name).write_bytes(b"nothing")
    told = error_of("--resume", str(run))
    assert "nothing to go on with" in told
    assert told.endswith(f"--out {run} --run.overwrite true begins anew")
    torch.save({"state_dict": {}}, run / LAST_CHECKPOINT)
    (run / PREVIOUS_CHECKPOINT).unlink()
    assert "no state of a training" in error_of("--resume", str(run))
    assert "expected at least one argument" in error_of("--style")
    assert "one run at a time" in error_of("--resume", "x", "--style", "a.jpg", "b.jpg")


def test_another_painting_is_refused(
    train: Train, painting: Path, tmp_path: Path, capsys: Capture
) -> None:
    from nst.train.cli import main

    assert train() == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with Image.open(painting) as picture:
        ImageOps.mirror(picture).save(painting)
    for more in ((), ("--dry-run",), ("--model.style_size", "88")):
        capsys.readouterr()
        longer = ("--trainer.max_steps", "4")
        assert main(["--resume", str(tmp_path / "run"), *longer, *more]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{painting} is another picture than the one that this run has learned" in line
        assert "--run.overwrite true" in line
    assert {path: path.read_bytes() for path in before} == before
    again = ("--run.overwrite", "true", "--warm-start", str(tmp_path / "run"))
    assert train(*again) == 0, "as it says"


def test_the_same_painting_in_another_file_and_at_another_size(
    train: Train, painting: Path, tmp_path: Path
) -> None:
    from nst.train.cli import main

    assert train() == 0
    with Image.open(painting) as picture:
        picture.save(tmp_path / "same.webp", lossless=True)
    other = ("--style", str(tmp_path / "same.webp"), "--model.style_size", "88")
    assert main(["--resume", str(tmp_path / "run"), "--trainer.max_steps", "4", *other]) == 0
    trained = load_trained_net(tmp_path / "run")
    assert trained.training["steps"] == 4
    assert trained.painting is not None
    assert trained.painting.shape[-1] == 88


def test_a_request() -> None:
    request = read_request(
        ["--style", "a.jpg", "b.jpg", "--net.width", "4", "--style=c.jpg", "--config", "realtime"]
    )
    assert request.styles == ("a.jpg", "b.jpg", "c.jpg")
    assert request.is_several
    assert not read_request(["--style", "./a.jpg"]).is_several
    assert request.rest == ("--net.width", "4", "--config", "realtime")
    assert read_request(["--try-strengths", "0.5,2"]).strengths == (0.5, 2.0)
    for text in ("", "a", "1,", "0,1", "1,1", "nan", "inf"):
        with pytest.raises(UserError):
            read_request(["--try-strengths", text])


def test_checkpoints_by_the_clock(train: Train, tmp_path: Path) -> None:
    """Every thousand steps would be never: it is the minutes."""
    flags = ("--run.checkpoint_every", "1000", "--run.checkpoint_minutes", "0.001")
    assert train(*flags, "--trainer.max_steps", "8") == 0
    previous = torch.load(tmp_path / "run" / PREVIOUS_CHECKPOINT, weights_only=True)
    assert 0 < previous["global_step"] < 8


def test_a_second_ctrl_c_does_not_wait(train: Train, tmp_path: Path) -> None:
    training_step = StyleTransferSystem.training_step

    def interrupted(self: StyleTransferSystem, batch: object, batch_idx: int) -> torch.Tensor:
        if self.global_step == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return training_step(self, batch, batch_idx)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StyleTransferSystem, "training_step", interrupted)
        assert train("--run.checkpoint_every", "1") == 130
    assert load_trained_net(tmp_path / "run").training["steps"] == 2


def test_what_the_run_began_with_may_be_gone(train: Train, tmp_path: Path) -> None:
    from nst.train.cli import main

    assert train(out="first") == 0
    assert train("--warm-start", str(tmp_path / "first")) == 0
    shutil.rmtree(tmp_path / "first")
    assert main(["--resume", str(tmp_path / "run"), "--trainer.max_steps", "4"]) == 0
    assert load_trained_net(tmp_path / "run").training["warm_start"] == "first"
    assert f"warm_start: {tmp_path / 'first'}" in (tmp_path / "run" / "config.yaml").read_text()


def test_another_number_of_photos_is_told(
    train: Train, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    from nst.train.cli import main

    assert train() == 0
    shutil.copy(photos / "a.jpg", photos / "z.jpg")
    assert main(["--resume", str(tmp_path / "run"), "--trainer.max_steps", "4"]) == 0
    assert "has 4 photos and had 3" in capsys.readouterr().err


def test_notes_of_steps_that_come_again_are_dropped(
    train: Train, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo is left out before the checkpoint; what happens after it, happens no more."""
    from nst.train.cli import main

    (photos / "broken.jpg").write_bytes(b"no photo")
    training_step = StyleTransferSystem.training_step

    def failing(self: StyleTransferSystem, batch: object, batch_idx: int) -> torch.Tensor:
        if self.global_step == 22:
            raise UserError("the power failed")
        loss = training_step(self, batch, batch_idx)  # type: ignore[arg-type]
        return loss * math.nan if self.global_step == 17 else loss

    notes = tmp_path / "run" / "notes.txt"
    with monkeypatch.context() as patch:
        patch.setattr(StyleTransferSystem, "training_step", failing)
        assert train("--trainer.max_steps", "30", "--run.checkpoint_every", "15") == 2
    skipped, gone_back = notes.read_text().splitlines()
    assert "broken.jpg" in skipped
    assert "step 20: " in gone_back
    assert main(["--resume", str(tmp_path / "run")]) == 0
    assert notes.read_text().splitlines() == [skipped]


def test_two_runs_in_one_folder(train: Train, tmp_path: Path, capsys: Capture) -> None:
    from nst.train.folder_lock import lock_folder

    (tmp_path / "run").mkdir()
    with lock_folder(tmp_path / "run"):
        assert train() == 2
        assert "another nst-train works in" in capsys.readouterr().err
    assert train() == 0


def test_wrong_settings_leave_an_old_run_alone(train: Train, tmp_path: Path) -> None:
    assert train() == 0
    assert train("--run.overwrite", "true", "--trainer.accelerator", "tpu") == 2
    assert load_trained_net(tmp_path / "run").training["steps"] == 3
    assert train("--trainer.accelerator", "tpu", out="new") == 2
    assert not (tmp_path / "new").exists()


def test_notes_of_a_run_that_never_began_are_not_told(
    train: Train, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("skipped: cannot read /elsewhere/old.jpg")
    (tmp_path / "run" / "mine.onnx").write_text("not of a run")
    assert train() == 0
    assert "old.jpg" not in capsys.readouterr().out
    assert (tmp_path / "run" / "mine.onnx").exists()


def test_nobody_reads_the_output(train: Train, painting: Path, photos: Path) -> None:
    command = (
        f"{sys.executable} -m nst.train --style {painting} --content {photos} --dry-run "
        "--net TransformerNet --net.width 4 --net.residual_blocks 1 --data.workers 0 "
        "--data.crop_px 48 --model.style_size 96 | head -1"
    )
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert result.stdout.startswith("painting")
    assert result.stderr == ""


def test_a_run_that_its_time_ended_can_be_made_longer(train: Train, tmp_path: Path) -> None:
    """By the command that its report names."""
    from nst.train.cli import main

    assert train("--trainer.max_steps", "100000", "--trainer.max_time", "00:00:00:03") == 0
    steps = load_trained_net(tmp_path / "run").training["steps"]
    longer = ("--trainer.max_steps", str(steps + 2), "--trainer.max_time", "null")
    assert main(["--resume", str(tmp_path / "run"), *longer]) == 0
    assert load_trained_net(tmp_path / "run").training["steps"] == steps + 2
