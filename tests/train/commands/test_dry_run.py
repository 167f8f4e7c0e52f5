"""``nst-train --dry-run``: what it says, and that it leaves nothing."""

import re
import signal
import time
from pathlib import Path

import pytest
import torch

from nst.train.callbacks import trial
from nst.train.commands import dry_run as module
from nst.train.commands.needs import memory_bytes
from nst.train.photos import PhotoBatch
from nst.train.system import StyleTransferSystem
from tests.train.conftest import Train

Capture = pytest.CaptureFixture[str]
LENGTHS = {"STYLE_S": trial.STYLE_S, "KNOB_S": trial.KNOB_S}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nst.train.callbacks.trial.STYLE_S", 0.05)
    monkeypatch.setattr("nst.train.callbacks.trial.KNOB_S", 0.05)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Names in a folder and what the files hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def told(capsys: Capture) -> dict[str, str]:
    """The lines of the output by their first column."""
    lines = capsys.readouterr().out.splitlines()
    return {line[:11].strip(): line[12:] for line in lines if line[11:12] == " "}


def test_it_tells_and_writes_nothing(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path)
    assert train("--dry-run", "--trainer.max_steps", "1000") == 0
    assert contents(tmp_path) == before
    values = told(capsys)
    assert values["painting"].endswith("waves.png, 128x96 px, learned at 96x72")
    assert values["network"].startswith("TransformerNet, ")
    assert values["network"].endswith("begins with nothing")
    assert values["photos"].startswith("3 in ")
    assert values["batch"] == "2 crops of 48x48 px"
    assert values["length"] == "1000 steps"
    assert re.fullmatch(r"CPU, \d+ threads?, [\w-]+", values["device"])
    assert values["run folder"] == str(tmp_path / "run")
    assert values["to do"] == "1000 steps, the last 100 for strengths below 1"
    assert re.search(r"from start to end; begun now, until .*\d\d:\d\d$", values["time"])
    assert re.fullmatch(r"[\d.]+ MB needed, [\d.]+ GB free", values["disk"])
    assert "needed" in values["memory"]


def slow_steps(
    monkeypatch: pytest.MonkeyPatch, *, style_s: float, knob_s: float
) -> list[float | None]:
    """Steps that take a time; their places in the knob's part of the run, None before it."""
    training_step = StyleTransferSystem.training_step
    phases = []

    def slow(self: StyleTransferSystem, batch: PhotoBatch, batch_idx: int) -> torch.Tensor:
        phases.append(self.phase.knob)
        time.sleep(style_s if self.phase.knob is None else knob_s)
        return training_step(self, batch, batch_idx)

    monkeypatch.setattr(StyleTransferSystem, "training_step", slow)
    return phases


def test_both_kinds_of_steps_are_timed(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    slow_steps(monkeypatch, style_s=0.5, knob_s=1.0)
    monkeypatch.setattr(time, "process_time", lambda: 5.0)  # not that of all tests before
    assert train("--dry-run", "--trainer.max_steps", "1000", "--model.knob_share", "0.5") == 0
    values = told(capsys)
    speeds = re.fullmatch(
        r"([\d.]+) steps/s, ([\d.]+) images/s; ([\d.]+) steps/s for strengths below 1",
        values["speed"],
    )
    assert speeds is not None
    style, images, knob = map(float, speeds.groups())
    assert 1 < style < 2
    assert images == pytest.approx(2 * style, abs=0.02)
    assert 0.5 < knob < 1
    minutes = (500 / style + 500 / knob) / 60
    measured = re.match(r"(\d+) min", values["time"])
    assert measured is not None
    assert minutes - 1 < int(measured[1]) < minutes + 3


def test_steps_are_counted_for_three_seconds(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """At half a second each, and three of each kind before they count."""
    for name, seconds in LENGTHS.items():
        monkeypatch.setattr(trial, name, seconds)
    phases = slow_steps(monkeypatch, style_s=0.5, knob_s=0.5)
    assert train("--dry-run") == 0
    assert len(phases) <= 3 + 4 + 3 + 2


def test_without_a_knob_there_are_no_steps_of_it(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    phases = slow_steps(monkeypatch, style_s=0, knob_s=0)
    assert train("--dry-run", "--model.knob_share", "0") == 0
    assert set(phases) == {None}
    values = told(capsys)
    assert values["to do"] == "3 steps"
    assert "strengths" not in values["speed"]


def test_a_limit_of_time_and_accumulated_gradients(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    # A program has done nothing else before; this process has run other tests, for minutes.
    monkeypatch.setattr(time, "process_time", lambda: 5.0)
    time_limit = ("--trainer.max_time", "00:00:10:00", "--trainer.max_steps", "-1")
    assert train("--dry-run", *time_limit, "--trainer.accumulate_grad_batches", "2") == 0
    values = told(capsys)
    assert values["length"] == "10 min"
    assert re.match(r"1[01] min ", values["time"])
    speeds = re.match(r"([\d.]+) steps/s, ([\d.]+) images/s", values["speed"])
    assert speeds is not None
    assert float(speeds[2]) == pytest.approx(4 * float(speeds[1]), rel=0.02)
    steps = re.match(r"(\d+) steps", values["to do"])
    assert steps is not None
    assert int(steps[1]) > 0.9 * 600 * float(speeds[1])


def error_of(train: Train, capsys: Capture, *flags: str) -> str:
    assert train(*flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    "flags",
    [
        ("--trainer.max_steps", "0"),
        ("--trainer.max_steps", "-2"),
        ("--trainer.max_time", "banana"),
        ("--trainer.max_epochs", "3"),
        ("--content", "nowhere"),
        ("--run.preview_every", "0"),
        ("--warm-start", "nowhere"),
        ("--stlye", "x"),
    ],
)
def test_what_a_run_refuses_is_refused_in_the_same_words(
    flags: tuple[str, ...], train: Train, capsys: Capture
) -> None:
    dry = error_of(train, capsys, *flags, "--dry-run")
    assert dry == error_of(train, capsys, *flags)


def test_a_painting_that_is_not_there(capsys: Capture) -> None:
    from nst.train.cli import main

    for more in ((), ("--dry-run",)):
        assert main(["--style", "nowhere.jpg", *more]) == 2
        assert "cannot read nowhere.jpg: there is no such file" in capsys.readouterr().err


def test_folders_that_a_run_refuses(train: Train, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("")
    for out in ("file", "file/run"):
        flags = ("--out", str(tmp_path / out))
        dry = error_of(train, capsys, "--dry-run", *flags)
        assert "cannot use the folder" in dry
        assert dry == error_of(train, capsys, *flags)
    assert train() == 0
    capsys.readouterr()
    before = contents(tmp_path)
    assert train("--dry-run") == 0
    assert "run, which holds a run: choose another --out" in told(capsys)["run folder"]
    assert "holds a finished or interrupted run" in error_of(train, capsys)
    assert train("--dry-run", "--run.overwrite", "true") == 0
    assert told(capsys)["run folder"].endswith("run, whose run would be replaced")
    assert contents(tmp_path) == before


def test_without_a_compiler(train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    assert "needs a C++ compiler" in error_of(train, capsys, "--dry-run", "--model.compile=true")


def test_a_broken_photo_is_named(train: Train, photos: Path, capsys: Capture) -> None:
    (photos / "a.jpg").write_bytes(b"")
    assert train("--dry-run") == 0
    assert (
        f"1 cannot be read and would be left out (cannot read {photos / 'a.jpg'}"
        in (told(capsys)["photos"])
    )


def test_a_run_that_would_go_on(train: Train, tmp_path: Path, capsys: Capture) -> None:
    from nst.train.cli import main

    run = tmp_path / "run"
    assert train("--trainer.max_steps", "10", "--trainer.max_time", "01:00:00:00") == 0
    before = contents(tmp_path)
    capsys.readouterr()
    assert main(["--resume", str(run), "--dry-run", "--trainer.max_steps", "50"]) == 0
    values = told(capsys)
    assert values["done"] == "10 steps"
    assert values["to do"] == "40 steps, the last 5 for strengths below 1"
    assert main(["--resume", str(run), "--dry-run"]) == 0
    assert "nothing is left of this run" in capsys.readouterr().out
    longer = ("--trainer.max_steps", "50", "--net.width", "8")
    assert main(["--resume", str(run), "--dry-run", *longer]) == 2
    assert "another network" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert main(["--resume", str(tmp_path / "nowhere"), "--dry-run"]) == 2
    assert "no run to go on with" in capsys.readouterr().err


def test_a_disk_that_is_too_small(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(module, "free_disk_bytes", lambda folder: 1000)
    assert "the disk is too small" in error_of(train, capsys, "--dry-run")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(
    number: signal.Signals,
    status: int,
    train: Train,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    def interrupted(self: StyleTransferSystem, batch: object, batch_idx: int) -> torch.Tensor:
        steps.append(self.global_step)
        signal.raise_signal(number)
        return training_step(self, batch, batch_idx)  # type: ignore[arg-type]

    steps: list[int] = []
    training_step = StyleTransferSystem.training_step
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(StyleTransferSystem, "training_step", interrupted)
        assert train("--dry-run") == status
    signal.signal(signal.SIGINT, before)
    assert steps == [0]
    assert not (tmp_path / "run").exists()
    assert capsys.readouterr().err == "nst-train: interrupted\n"


def test_the_size_of_the_run_folder(train: Train, tmp_path: Path, capsys: Capture) -> None:
    flags = ("--run.preview_every", "1", "--trainer.max_steps", "20")
    assert train("--dry-run", *flags) == 0
    needed = re.match(r"([\d.]+) MB", told(capsys)["disk"])
    assert needed is not None
    assert train(*flags, "--run.checkpoint_every", "5", export=True) == 0
    size = sum(path.stat().st_size for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert 0.8 * size < 1e6 * float(needed[1]) < 1.6 * size


def test_memory_of_this_process(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tx\nVmHWM:\t    20 kB\nVmRSS:\t    10 kB\n")
    assert memory_bytes("VmHWM", status) == 20 * 1024
    assert memory_bytes("VmRSS", status) == 10 * 1024
    assert memory_bytes("VmSwap", status) is None
    assert memory_bytes("VmHWM", tmp_path / "missing") is None
