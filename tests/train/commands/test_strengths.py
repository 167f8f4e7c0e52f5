"""``nst-train --try-strengths``: short runs, and one picture of them."""

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from nst.infer.pictures.contact_sheet import GAP_PX
from nst.models import load_trained_net
from nst.train.cli import main
from nst.train.commands.strengths import SHEET_HEIGHT_PX
from tests.train.conftest import Train

Capture = pytest.CaptureFixture[str]


def test_a_column_for_each_strength(train: Train, tmp_path: Path, capfd: Capture) -> None:
    flags = ("--try-strengths", "0.5,4", "--trainer.enable_progress_bar", "false")
    assert train(*flags, out="tries") == 0
    tries = tmp_path / "tries"
    for name, strength in (("strength_0.5", 0.5), ("strength_4", 4.0)):
        trained = load_trained_net(tries / name)
        assert trained.training["style_strength"] == strength
        assert trained.training["steps"] == 3
    assert not list(tries.rglob("*.onnx"))
    sheet = Image.open(tries / "strengths.png")
    widths = [round(width * SHEET_HEIGHT_PX / height) for width, height in ((96, 64), (64, 96))]
    assert sheet.width == 3 * max(widths) + 2 * GAP_PX
    cells = np.asarray(sheet, dtype=float)[:SHEET_HEIGHT_PX]
    photo, half, four = (
        cells[:, start : start + max(widths)]
        for start in range(0, sheet.width, max(widths) + GAP_PX)
    )
    assert np.abs(photo - half).mean() > 1
    assert np.abs(half - four).mean() > 0.1
    out = capfd.readouterr().out
    command = out.splitlines()[-1]
    assert command.startswith(f"look at {tries / 'strengths.png'}, then: nst-train --style=")
    assert command.endswith("--model.style_strength NUMBER")
    assert "--out" not in command
    assert "max_steps" not in command
    assert train(*flags, "--data.crop_px", "64", out="tries") == 2
    assert "run with other settings (data.crop_px)" in capfd.readouterr().err
    (tries / "strengths.png").unlink()
    assert train(*flags, out="tries") == 0
    assert capfd.readouterr().out.count("skipped") == 2
    assert (tries / "strengths.png").exists()


CHILD = """
import sys
print("begun", sys.argv[1:], flush=True)
sys.exit(2)
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the training."""
    command = (sys.executable, "-S", "-c", CHILD)
    monkeypatch.setattr("nst.train.commands.children.NST_TRAIN", command)


def test_the_runs_are_short(
    stand_in: None,
    painting: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    base = ["--style", str(painting), "--content", str(photos), "--try-strengths", "1,2"]
    assert main(base) == 2
    out = capfd.readouterr().out
    assert out.count("'--trainer.max_steps=300'") == 2
    assert out.count("'--run.export=false'") == 2
    assert out.count("'--resume', 'runs/waves.strengths/strength_1'") == 1
    assert "strengths.png" not in out
    assert not (tmp_path / "runs" / "waves.strengths" / "strengths.png").exists()
    for limit in (("--trainer.max_time", "00:00:01:00"), ("--trainer.max_steps", "50")):
        assert main([*base, *limit]) == 2
        out = capfd.readouterr().out
        assert "max_steps=300" not in out
        assert out.count(f"'{limit[1]}'") == 2
    assert main([*base, "--run.overwrite", "true"]) == 2
    assert "--resume" not in capfd.readouterr().out


def test_a_name_beyond_the_encoding_of_stdout(
    stand_in: None, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(printed, encoding="iso-8859-1"))
    assert train("--try-strengths", "1", out="\U0001f408") == 2
    assert rb"\U0001f408/strength_1" in printed.getvalue()


def test_settings_in_a_file(
    stand_in: None, painting: Path, photos: Path, tmp_path: Path, capfd: Capture
) -> None:
    settings = {
        "model": {"style": str(painting), "style_strength": 3.0},
        "data": {"content": str(photos)},
        "trainer": {"max_steps": 20},
        "run": {"out": str(tmp_path / "tries")},
    }
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(settings))
    assert main(["--config", str(tmp_path / "x.yaml"), "--try-strengths", "2"]) == 2
    out = capfd.readouterr().out
    assert "'--model.style_strength=2'" in out
    assert "max_steps" not in out
    assert str(tmp_path / "tries" / "strength_2") in out


def test_photos_that_cannot_be_drawn(
    stand_in: None, train: Train, photos: Path, capfd: Capture
) -> None:
    for path in photos.rglob("*.*"):
        path.unlink()
    Image.new("RGB", (2000, 20)).save(photos / "narrow.png")
    assert train("--try-strengths", "1") == 2
    out, err = capfd.readouterr()
    assert err.startswith("nst-train: --try-strengths has no photo to draw: ")
    assert err.count("\n") == 1
    assert "begun" not in out


def test_what_is_refused(train: Train, tmp_path: Path, capsys: Capture) -> None:
    def error_of(*flags: str) -> str:
        assert train("--try-strengths", "0.5,1", *flags) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    for flag in (("--model.style_strength", "2"), ("--model.style_strength=2",)):
        assert "leave that out" in error_of(*flag)
    assert "--try-strengths is for one painting" in error_of("--dry-run")
    assert "--try-strengths is for one painting" in error_of("--style", "b.jpg")
    assert "nowhere" in error_of("--content", "nowhere")
    assert "is not like" in error_of("--try-strengths", "0,1")
    assert main(["--try-strengths", "1"]) == 2
    assert "--style" in capsys.readouterr().err
    assert main(["--try-strengths", "1", "--style", "nowhere.jpg"]) == 2
    assert "nowhere.jpg: there is no such file" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert train() == 0
    capsys.readouterr()
    assert "is the folder of one run: name another --out for several" in error_of()
