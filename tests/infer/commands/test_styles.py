import json
from pathlib import Path

import pytest
from graphs import copy_with_props, save_negative
from PIL import Image

from nst.infer.commands.main import main
from nst.infer.pictures.contact_sheet import GAP_PX
from nst.infer.styles import SHIPPED, TIERS, shipped_styles

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    save_negative(folder / "negative.onnx")
    monkeypatch.setenv("NST_STYLES", str(folder))
    return folder


def test_a_table(capfd: Capture) -> None:
    assert main(["styles"]) == 0
    out, err = capfd.readouterr()
    heading, negative, *shipped = out.splitlines()
    assert " ".join(heading.split()) == "name title artist year tier MB precision from"
    assert negative.split() == ["negative", "0.00", "fp32", "own"]
    lines = [line for line in shipped if line.startswith("starry_night")]
    for line, tier in zip(lines, TIERS, strict=True):
        size = f"{(SHIPPED / tier / 'starry_night.onnx').stat().st_size / 1e6:.2f}"
        told = f"The Starry Night Vincent van Gogh 1889 {tier}"
        assert " ".join(line.split()) == f"starry_night {told} {size} fp32 nst"
        assert heading.index("from") == line.index("nst")
    assert err == ""


def test_texts_of_a_file_cannot_look_like_lines(own: Path, capfd: Capture) -> None:
    copy_with_props(own / "negative.onnx", own / "b.onnx", title="a\nb\x1b[31m", artist="c")
    assert main(["styles"]) == 0
    out = capfd.readouterr().out
    assert "a b\\x1b[31m" in out
    assert len(out.splitlines()) == 3 + len(shipped_styles(None))


def test_json(own: Path, capfd: Capture) -> None:
    assert main(["styles", "--json"]) == 0
    negative, *shipped = json.loads(capfd.readouterr().out)
    assert (negative["name"], negative["own"]) == ("negative", True)
    assert negative["file"] == str(own / "negative.onnx")
    assert [each["name"] for each in shipped] == [style.name for style in shipped_styles(None)]
    assert {each["own"] for each in shipped} == {False}


def test_a_file_that_is_no_style_is_left_out(own: Path, capfd: Capture) -> None:
    (own / "broken.onnx").write_text("hello")
    assert main(["styles", "--json"]) == 0
    out, err = capfd.readouterr()
    assert "broken" not in [each["name"] for each in json.loads(out)]
    assert err.startswith("nst-infer styles: left out: cannot read ")
    assert err.count("\n") == 1


def test_a_missing_folder_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> None:
    monkeypatch.setenv("NST_STYLES", "missing")
    assert main(["styles"]) == 2
    assert capfd.readouterr().err.startswith("nst-infer styles: NST_STYLES names missing")


def test_a_sheet(own: Path, tmp_path: Path, capfd: Capture) -> None:
    (own / "broken.onnx").write_text("hello")
    sheet = tmp_path / "sheet.png"
    assert main(["styles", "--sheet", str(sheet), "--json"]) == 0
    out, err = capfd.readouterr()
    assert len(json.loads(out)) == 1 + len(shipped_styles(None))
    assert err.count("left out") == 1
    with Image.open(sheet) as picture:
        assert picture.width >= 2 * 320 + GAP_PX
        # A cell for the photo and each style, whatever tiers it comes in.
        cells = 2 + len(shipped_styles())
        across = (picture.width + GAP_PX) // (320 + GAP_PX)
        down = picture.height // 213
        assert across * (down - 1) < cells <= across * down
    assert main(["styles", "--sheet", str(sheet)]) == 2
    assert "it exists, pass --overwrite" in capfd.readouterr().err
    sheet.write_text("old")
    assert main(["styles", "--sheet", str(sheet), "--overwrite"]) == 0
    assert sheet.stat().st_size > 10_000


def test_a_sheet_is_refused_before_anything_is_listed(capfd: Capture) -> None:
    assert main(["styles", "--sheet", "missing/sheet.png"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "the folder missing does not exist" in err


def test_help(capfd: Capture) -> None:
    assert main(["styles", "--help"]) == 0
    out = capfd.readouterr().out
    assert all(word in out for word in ("--json", "--sheet", "--overwrite", "NST_STYLES"))
