"""Several paintings: one run each, one after the other."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from nst.models import load_trained_net
from nst.train.cli import main
from nst.train.commands.children import Job, Queue
from nst.train.commands.plan import Plan

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def paintings(painting: Path, tmp_path: Path) -> list[Path]:
    """The first one is no picture."""
    (tmp_path / "paintings").mkdir()
    broken, well = (tmp_path / "paintings" / f"{name}.png" for name in ("broken", "well"))
    broken.write_text("hello")
    shutil.copy(painting, well)
    return [broken, well]


@pytest.fixture
def flags(photos: Path, tmp_path: Path) -> list[str]:
    return [
        *("--content", str(photos), "--out", str(tmp_path / "runs")),
        *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
        *("--data.crop_px", "48", "--data.workers", "0", "--model.style_size", "96"),
        *("--trainer.enable_progress_bar", "false", "--run.report", "false"),
    ]


def states(output: str) -> dict[str, str]:
    """The last lines: names and what became of them."""
    known = ("done", "skipped", "failed", "interrupted", "not begun")
    columns = [re.split(" {2,}", line) for line in output.splitlines()]
    return {each[0]: each[1] for each in columns if each[1:] and each[1] in known}


def test_one_that_fails_does_not_keep_the_others_from_being_trained(
    paintings: list[Path], flags: list[str], painting: Path, tmp_path: Path, capfd: Capture
) -> None:
    command = ["--style", *map(str, paintings), *flags, "--trainer.max_steps", "2"]
    assert main(command) == 1
    out, err = capfd.readouterr()
    assert states(out) == {"broken": "failed", "well": "done"}
    assert "exit status 2" in out
    assert "broken.png" in err
    assert (tmp_path / "runs" / "well" / "well.onnx").exists()
    shutil.copy(painting, paintings[0])
    assert main([*command, "--run.export", "false"]) == 0
    assert states(capfd.readouterr().out) == {"broken": "done", "well": "skipped"}
    assert load_trained_net(tmp_path / "runs" / "broken").training["steps"] == 2
    assert not list((tmp_path / "runs" / "broken").glob("*.onnx"))


def test_an_interrupted_one_goes_on(
    painting: Path, flags: list[str], tmp_path: Path, capfd: Capture
) -> None:
    """A run of 4 steps that has 2 is as one that was interrupted; the other one is finished."""
    other = tmp_path / "other.png"
    shutil.copy(painting, other)
    runs = tmp_path / "runs"
    command = [*flags, "--run.export", "false", "--style", str(painting)]
    assert main([*command, "--out", str(runs / "waves"), "--trainer.max_steps", "2"]) == 0
    shutil.copytree(runs / "waves", runs / "other")
    assert main([*command, str(other), "--trainer.max_steps", "2"]) == 0
    assert states(capfd.readouterr().out) == {"waves": "skipped", "other": "skipped"}
    shutil.rmtree(runs / "other")
    assert main([*command, str(other), "--trainer.max_steps", "4"]) == 0
    assert states(capfd.readouterr().out) == {"waves": "done", "other": "done"}
    for name, previews in (("waves", [2, 4]), ("other", [4])):
        assert load_trained_net(runs / name).training["steps"] == 4
        names = sorted(path.name for path in (runs / name / "preview").iterdir())
        assert names == [f"step_{step:06d}.png" for step in previews], "goes on, or begins"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_ends_the_present_one_with_a_checkpoint_and_begins_no_other(
    number: signal.Signals, status: int, painting: Path, flags: list[str], tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    shutil.copy(painting, other)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "nst.train", "--style", str(painting), str(other), *flags),
            *("--trainer.max_steps", "1000000", "--run.checkpoint_every", "2"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    checkpoint = tmp_path / "runs" / "waves" / "checkpoints" / "last.ckpt"
    try:
        for _ in range(1200):
            if checkpoint.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        os.killpg(process.pid, number)  # as a terminal does it
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == status, err
    assert "Traceback" not in err
    assert states(out) == {"waves": "interrupted", "other": "not begun"}
    assert load_trained_net(tmp_path / "runs" / "waves").training["steps"] > 0
    assert not (tmp_path / "runs" / "other").exists()


def error_of(capsys: Capture, *arguments: str) -> str:
    assert main(list(arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def finished_runs(painting: Path, flags: list[str], tmp_path: Path, *steps: int) -> list[str]:
    """Runs in ``runs/waves`` and ``runs/other`` without a model, and a command for both of them."""
    other = tmp_path / "other.png"
    shutil.copy(painting, other)
    for path, count in zip((painting, other), steps, strict=True):
        command = [*flags, "--style", str(path), "--out", str(tmp_path / "runs" / path.stem)]
        assert main([*command, "--trainer.max_steps", str(count), "--run.export", "false"]) == 0
    return [*flags, "--style", str(painting), str(other), "--trainer.max_steps", str(max(steps))]


def test_models_that_are_missing_are_written_and_shorter_runs_go_on(
    painting: Path, flags: list[str], tmp_path: Path, capfd: Capture
) -> None:
    command = finished_runs(painting, flags, tmp_path, 2, 1)
    capfd.readouterr()
    assert main(command) == 0
    assert states(capfd.readouterr().out) == {"waves": "done", "other": "done"}
    for name in ("waves", "other"):
        run = tmp_path / "runs" / name
        assert load_trained_net(run).training["steps"] == 2
        assert (run / f"{name}.onnx").exists()


def test_a_finished_run_of_something_else_is_not_taken(
    painting: Path, flags: list[str], stand_in: None, tmp_path: Path, capfd: Capture
) -> None:
    command = [*finished_runs(painting, flags, tmp_path, 1, 1), "--run.export", "false"]
    assert main([*command, "--model.style_size", "80", "--data.workers", "1"]) == 2
    err = capfd.readouterr().err
    assert "waves holds a run with other settings (model.style_size): --run.overwrite true" in err
    Image.new("RGB", (128, 96), "red").save(tmp_path / "other.png")
    assert main(command) == 1
    captured = capfd.readouterr()
    assert states(captured.out) == {"waves": "skipped", "other": "failed"}, captured.out
    assert "other.png is another picture" in captured.err
    config = tmp_path / "runs" / "waves" / "config.yaml"
    for damage in ("model: 3", "", "model: {}"):
        config.write_text(damage)
        assert main(command) == 2, "none is well"
        assert "cannot read the settings of the run in" in capfd.readouterr().err
    assert main([*command, "--run.overwrite", "true"]) == 0
    out = capfd.readouterr().out
    assert states(out) == {"waves": "done", "other": "done"}
    assert "--resume" not in out
    assert out.count("'--run.overwrite', 'true'") == 2


def test_what_is_refused_before_anything_begins(
    paintings: list[Path], flags: list[str], tmp_path: Path, capsys: Capture
) -> None:
    well = str(paintings[1])
    (tmp_path / "more").mkdir()
    same = str(shutil.copy(well, tmp_path / "more" / "well.jpg"))
    assert f"two paintings are called well: {well} and {same}" in error_of(
        capsys, "--style", well, same, *flags
    )
    assert "two paintings are called well" in error_of(capsys, "--style", well, well, *flags)
    missing = str(tmp_path / "x.jpg")
    assert "x.jpg: there is no such file" in error_of(capsys, "--style", well, missing, *flags)
    base = ("--style", *map(str, paintings), *flags)
    assert "--stlye" in error_of(capsys, *base, "--stlye", "x")
    assert "nowhere" in error_of(capsys, *base, "--content", "nowhere")
    assert "max_epochs" in error_of(capsys, *base, "--trainer.max_epochs", "2")
    assert not (tmp_path / "runs").exists()
    (tmp_path / "runs" / "checkpoints").mkdir(parents=True)
    (tmp_path / "runs" / "checkpoints" / "last.ckpt").write_text("")
    assert "is the folder of one run: name another --out" in error_of(capsys, *base)


def test_a_pattern_means_a_folder_for_each_even_if_one_matches(
    paintings: list[Path], flags: list[str], stand_in: None, tmp_path: Path, capfd: Capture
) -> None:
    pattern = str(paintings[1].with_name("w*.png"))
    assert main(["--style", pattern, *flags]) == 0
    out = capfd.readouterr().out
    assert states(out) == {"well": "done"}
    assert f"in {tmp_path / 'runs' / 'well'}" in out


def test_an_empty_file_and_a_folder_do_not_keep_the_others_from_being_trained(
    painting: Path, flags: list[str], stand_in: None, tmp_path: Path, capfd: Capture
) -> None:
    empty, folder = tmp_path / "wrong.png", tmp_path / "killed"
    empty.touch()
    folder.mkdir()
    assert main(["--style", str(empty), str(folder), str(painting), *flags]) == 1
    expected = {"wrong": "failed", "killed": "failed", "waves": "done"}
    assert states(capfd.readouterr().out) == expected


CHILD = """
import os, signal, sys
name = sys.argv[-1].rsplit(os.sep, 1)[-1]
print("begun", name, sys.argv[1:], flush=True)
what = {"well": 0, "wrong": 2, "killed": -signal.SIGKILL}.get(name, 0)
if name == "slow":
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.kill(os.getppid(), int(os.environ["NUMBER"]))
    signal.pause()
if what < 0:
    os.kill(os.getpid(), -what)
sys.exit(what)
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the training: a process that ends as the name of its folder says."""
    monkeypatch.setattr(
        "nst.train.commands.children.NST_TRAIN", (sys.executable, "-S", "-c", CHILD)
    )


def queue_of(tmp_path: Path, *names: str, is_done: bool = False) -> Queue:
    queue = Queue()
    queue.run(
        [
            Job(name, tmp_path / name, ("--out", str(tmp_path / name)), tmp_path / name, is_done)
            for name in names
        ]
    )
    return queue


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (("well", "well"), 0),
        (("well", "wrong", "well"), 1),
        (("killed", "well", "wrong"), 1),
        (("wrong", "killed"), 2),
    ],
)
def test_exit_statuses(
    names: tuple[str, ...], status: int, stand_in: None, tmp_path: Path, capfd: Capture
) -> None:
    queue = queue_of(tmp_path, *names)
    assert queue.report() == status
    out = capfd.readouterr().out
    assert out.count("begun") == len(names)
    assert ("ended by SIGKILL" in out) == ("killed" in names)
    assert ("exit status 2" in out) == ("wrong" in names)


def test_what_is_done_is_not_done_again(stand_in: None, tmp_path: Path, capfd: Capture) -> None:
    queue = queue_of(tmp_path, "well", "wrong", is_done=True)
    assert queue.report() == 0
    out = capfd.readouterr().out
    assert "begun" not in out
    assert out.count("skipped") == 2


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_an_interruption_is_passed_on(
    number: signal.Signals,
    status: int,
    stand_in: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Capture,
) -> None:
    monkeypatch.setenv("NUMBER", str(int(number)))
    before = signal.getsignal(number)
    queue = queue_of(tmp_path, "well", "slow", "other")
    assert signal.getsignal(number) == before
    assert queue.report() == status
    out = capfd.readouterr().out
    assert states(out) == {"well": "done", "slow": "interrupted", "other": "not begun"}
    assert "begun other" not in out


def test_the_arguments_of_the_runs(
    painting: Path,
    flags: list[str],
    stand_in: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Capture,
) -> None:
    well = tmp_path / "well.png"
    shutil.copy(painting, well)
    monkeypatch.setattr(Plan, "is_done", lambda plan, *_: not plan.overwrite and "waves" in str(_))
    command = ["--style", str(well), str(painting), *flags]
    assert main(command) == 0
    out = capfd.readouterr().out
    assert states(out) == {"well": "done", "waves": "skipped"}
    assert f"['--resume', '{tmp_path / 'runs' / 'well'}'" in out
    assert f"'--style={well}', '--out', '{tmp_path / 'runs' / 'well'}']" in out
    assert main([*command, "--run.overwrite", "true"]) == 0
    out = capfd.readouterr().out
    assert states(out) == {"well": "done", "waves": "done"}
    assert "--resume" not in out
