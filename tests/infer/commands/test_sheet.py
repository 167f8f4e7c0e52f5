from pathlib import Path

import numpy as np
import pytest
from graphs import save_negative
from PIL import Image

from nst.infer.commands.main import main
from nst.infer.pictures.contact_sheet import GAP_PX, caption_height
from nst.infer.styles import NamedStyle, all_styles

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two styles of the user; shipped ones take longer."""
    folder = tmp_path / "own"
    folder.mkdir()
    save_negative(folder / "negative.onnx")
    save_negative(folder / "other.onnx")
    monkeypatch.setenv("NST_STYLES", str(folder))
    monkeypatch.setattr("nst.infer.styles.shipped_styles", lambda tier: [])
    return folder


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "large.jpg"
    path.parent.mkdir()
    Image.new("RGB", (600, 400), (250, 100, 0)).save(path)
    return path


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_a_sheet_of_all_styles(large: Path, capfd: Capture) -> None:
    assert main(["sheet", str(large)]) == 0
    sheet = large.with_name("large.sheet.png")
    width, height = size_of(sheet)
    assert (width, height) == (2 * 320 + GAP_PX, 2 * (213 + caption_height()) + GAP_PX)
    assert capfd.readouterr() == (f"{sheet}  {width}x{height}\n", "")
    with Image.open(sheet) as picture:
        pixels = np.asarray(picture).astype(int)
    assert np.abs(pixels[100, 160] - (250, 100, 0)).max() <= 3
    assert np.abs(pixels[100, 480] - (5, 155, 255)).max() <= 3


def test_options(large: Path, own: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.webp"
    named = f"other, {own / 'negative.onnx'}"
    argv = [str(large), "-o", str(out), "--styles", named, "--columns", "3", "--size", "90"]
    assert main(["sheet", *argv]) == 0
    assert size_of(out) == (3 * 90 + 2 * GAP_PX, 60 + caption_height())
    assert [path.name for path in large.parent.iterdir()] == ["large.jpg"]


@pytest.mark.parametrize(("flags", "tier"), [([], "quality"), (["--tier", "realtime"], "realtime")])
def test_the_tier_of_shipped_styles(
    flags: list[str], tier: str, large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[NamedStyle] = []

    def style_sheet(_: object, styles: list[NamedStyle], **__: object) -> Image.Image:
        drawn.extend(styles)
        return Image.new("RGB", (8, 8))

    monkeypatch.undo()
    monkeypatch.setattr("nst.infer.style_sheet.style_sheet", style_sheet)
    out = tmp_path / "sheet.png"
    assert main(["sheet", str(large), *flags, "-o", str(out)]) == 0
    argv = ["--styles", "starry-night", "-o", str(out), "--overwrite"]
    assert main(["sheet", str(large), *flags, *argv]) == 0
    assert len(drawn) == len(all_styles()) + 1
    assert {style.path.parent.name for style in drawn} == {tier}


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    photo = tmp_path / "clear.png"
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(photo)
    assert main(["sheet", str(photo), "--styles", "negative"]) == 0
    with Image.open(tmp_path / "clear.sheet.png") as sheet:
        assert sheet.getpixel((10, 10)) == (255, 255, 255)


def test_overwrite(large: Path, capfd: Capture) -> None:
    sheet = large.with_name("large.sheet.png")
    sheet.write_text("old")
    assert main(["sheet", str(large)]) == 2
    assert f"cannot write {sheet}: it exists, pass --overwrite" in capfd.readouterr().err
    assert sheet.read_text() == "old"
    assert main(["sheet", str(large), "--overwrite"]) == 0
    assert size_of(sheet)[0] > 600


def test_a_broken_style_is_left_out_unless_it_was_asked_for(
    large: Path, own: Path, capfd: Capture
) -> None:
    (own / "broken.onnx").write_text("hello")
    (own / "empty.onnx").touch()
    assert main(["sheet", str(large)]) == 0
    broken, empty = capfd.readouterr().err.splitlines()
    assert broken.startswith(f"nst-infer sheet: left out: cannot load {own / 'broken.onnx'}: ")
    assert empty.startswith(f"nst-infer sheet: left out: cannot read {own / 'empty.onnx'}: ")
    large.with_name("large.sheet.png").unlink()
    assert main(["sheet", str(large), "--styles", "negative,broken"]) == 2
    assert capfd.readouterr().err.startswith(f"nst-infer sheet: cannot load {own / 'broken.onnx'}")
    assert main(["sheet", str(large), "--styles", "negative,empty"]) == 2
    assert f"cannot read {own / 'empty.onnx'}: the file is empty" in capfd.readouterr().err
    assert [path.name for path in large.parent.iterdir()] == ["large.jpg"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "Missing argument"),
        (["none.jpg"], "none.jpg: there is no such file"),
        (["."], "cannot read .: it is a folder"),
        (["large.jpg", "--styles", "negativ"], "did you mean negative?"),
        (["large.jpg", "--styles", "none.onnx"], "none.onnx: there is no such file"),
        (["large.jpg", "--styles", ","], "--styles names no style"),
        (["large.jpg", "--styles", ",", "--tier", "quality"], "--styles names no style"),
        (["large.jpg", "-o", "large.jpg", "--overwrite"], "it is an input"),
        (["large.jpg", "-o", "sheet.psd"], "suffix .psd is not supported"),
        (["large.jpg", "--columns", "0"], "greater than or equal to 1"),
        (["large.jpg", "--size", "31"], "greater than or equal to 32"),
    ],
)
def test_mistakes(
    large: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Capture,
    argv: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(large.parent)
    assert main(["sheet", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("nst-infer sheet: ")
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in large.parent.iterdir()] == ["large.jpg"]
