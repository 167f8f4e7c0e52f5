"""Folders that may not be entered, and names that are too long."""

from pathlib import Path

import pytest
from closed import close_folder

from nst.train.cli import main
from nst.train.commands.arguments import find_config
from tests.train.conftest import Train

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir()
    close_folder(monkeypatch, folder)
    return folder


@pytest.mark.parametrize(
    ("flags", "path"),
    [
        (["--resume", "closed/run"], "closed/run/checkpoints/last.ckpt"),
        (["--out", "closed/o", "--try-strengths", "1"], "closed/o/checkpoints/last.ckpt"),
        (["--out", "closed/o"], "closed/o/checkpoints/last.ckpt"),
        (["--content", "closed/photos"], "closed/photos"),
        (["--content", "closed"], "closed"),
        (["--warm-start", "closed/o"], "closed/o"),
        (["--warm-start", "closed"], "closed/checkpoints/last.ckpt"),
        (["--config", "closed/fast.yaml"], "closed/fast.yaml"),
        (["--model.vgg_weights", "closed/vgg.pth"], "closed/vgg.pth"),
    ],
)
def test_a_closed_folder_is_told_in_one_line(
    flags: list[str],
    path: str,
    closed: Path,
    train: Train,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(closed.parent)
    assert train(*flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nst-train: cannot read {path}: Permission denied")


def test_a_closed_run_among_several_is_left_to_its_process(
    closed: Path, painting: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.setattr("nst.train.commands.children.NST_TRAIN", ("false",))
    monkeypatch.setattr("nst.train.commands.plan.holds_run", lambda out: False)
    monkeypatch.setattr("nst.train.commands.children.ensure_folder", lambda folder: None)
    other = painting.with_name("other.png")
    other.write_bytes(painting.read_bytes())
    common = ["--content", str(photos), "--out", str(closed)]
    assert main(["--style", str(painting), str(other), *common]) == 2
    assert capfd.readouterr().out.count("exit status 1") == 2
    more = ["--style", str(painting), "--try-strengths", "1,2"]
    assert main([*more, *common]) == 2
    assert capfd.readouterr().out.count("exit status 1") == 2


@pytest.mark.parametrize("flag", ["--config", "--resume", "--content", "--warm-start", "--out"])
def test_a_name_that_is_too_long(flag: str, train: Train, capsys: Capture) -> None:
    assert train(flag, 300 * "a") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nst-train: cannot read {300 * 'a'}")
    assert line.endswith(": File name too long")


def test_settings_that_come_with_nst_need_no_folder() -> None:
    assert find_config("quality").endswith("quality.yaml")
