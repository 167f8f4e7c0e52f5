"""``nst-train`` and the page at its end."""

import json
import re
from pathlib import Path

import pytest

from nst.models import load_trained_net
from nst.train.evaluate.cli import main as evaluate
from nst.train.evaluate.report import number
from tests.train.commands.test_resume import interrupt_after
from tests.train.conftest import Train

Capture = pytest.CaptureFixture[str]


def test_numbers_are_those_of_nst_evaluate(
    train: Train, painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert train("--trainer.max_steps", "10", export=True, report=True) == 0
    page = tmp_path / "run" / "report.html"
    assert f"report: {page}\n" in capsys.readouterr().out
    status = evaluate(
        [
            *(str(tmp_path / "run" / "waves.onnx"), "--style", str(painting)),
            *("--content", str(photos), "--style-size", "96", "--no-cost"),
            *("--other-vgg-weights", "none", "--json", "-o", str(tmp_path / "other.html")),
        ]
    )
    assert status == 0
    measures = json.loads(capsys.readouterr().out)["models"]["waves"]["measures"]
    assert {"total", "content", "style", "ssim", "grid", "e_warp", "flicker"} <= set(measures)
    html = page.read_text()
    for name, label in (
        *[("total", "total = content + 12 style"), ("style", "style"), ("content", "content")],
        *[("ssim", "SSIM with the photo"), ("grid", "grid energy, 1 is none")],
        *[("e_warp", "e_warp, mean of all flows"), ("flicker", "flicker under noise")],
        *[("style/relu3_1", "style, relu3_1"), ("e_warp/8", "e_warp, flow 8 px")],
    ):
        shown = re.search(rf'<tr><td>{re.escape(label)}</td><td class="number">(\S+) <', html)
        assert shown is not None, label
        assert shown[1] == number(measures[name]["mean"])
    assert "on the 3 photos above" in html
    assert "They were trained on" in html


def test_a_resumed_run_has_a_report_of_all_of_it(
    train: Train, tmp_path: Path, capsys: Capture
) -> None:
    from nst.train.cli import main

    flags = ("--run.report", "true", "--trainer.max_steps", "20", "--run.preview_every", "4")
    interrupt_after(train, tmp_path / "run", 11, *flags)
    page = tmp_path / "run" / "report.html"
    assert not page.exists()
    assert main(["--resume", str(tmp_path / "run")]) == 0
    html = page.read_text()
    assert load_trained_net(tmp_path / "run").training["steps"] == 20
    assert "<b>20</b><span>steps</span>" in html
    assert "<td>40</td>" in html  # two photos in each step
    assert 'alt="Photo 3 after step 4"' in html
    assert 'alt="Photo 3 after step 20"' in html


def test_without_a_report(train: Train, tmp_path: Path, capsys: Capture) -> None:
    assert train() == 0
    assert not (tmp_path / "run" / "report.html").exists()
    assert "report: " not in capsys.readouterr().out


def test_a_page_that_cannot_be_written_does_not_fail_the_run(
    train: Train, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "run" / "report.html").mkdir(parents=True)
    assert train(report=True) == 0
    output = capsys.readouterr()
    assert output.err.splitlines()[-1].startswith("nst-train: no report: cannot write")
    assert "next: nst-infer" in output.out


def test_a_run_in_the_place_of_another_takes_its_report_away(train: Train, tmp_path: Path) -> None:
    assert train(report=True) == 0
    assert (tmp_path / "run" / "report.html").exists()
    assert train("--run.overwrite", "true") == 0
    assert not (tmp_path / "run" / "report.html").exists()
