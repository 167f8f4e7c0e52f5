import importlib.metadata
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from PIL import Image

from nst.infer.commands.main import main
from nst.infer.styles import find_style

SaveGraph = Callable[..., Path]
Capture = pytest.CaptureFixture[str]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def pixels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(path) as image:
        return np.asarray(image)


def refused(capfd: Capture, *argv: str | Path) -> str:
    """The one line that a command prints when it fails."""
    assert main([os.fspath(each) for each in argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("nst-infer: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    return err


def test_result_is_written_and_reported(photo: Path, invert_bytes: Path, capfd: Capture) -> None:
    out = photo.with_name("out.png")
    assert main([str(photo), "--style", str(invert_bytes), "-o", str(out)]) == 0
    np.testing.assert_array_equal(pixels(out), 255 - pixels(photo))
    stdout, stderr = capfd.readouterr()
    assert stderr == ""
    assert stdout.startswith(f"{out}  40x30  invert  ")
    assert stdout.endswith(" s\n")
    assert stdout.count("\n") == 1
    assert names(photo.parent) == ["out.png", "photo.png"]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("photo.JPG", "photo.invert.JPG"),
        ("my photo.v2.png", "my photo.v2.invert.png"),
        ("photo.gif", "photo.invert.gif"),
        ("photo.psd", "photo.invert.png"),
        ("photo", "photo.invert.png"),
    ],
)
def test_default_name(photo: Path, invert_bytes: Path, name: str, result: str) -> None:
    with Image.open(photo) as image:
        image.save(photo.with_name(name), "GIF" if name.endswith("gif") else "PNG")
    photo.unlink()
    assert main([str(photo.with_name(name)), "--style", str(invert_bytes)]) == 0
    assert names(photo.parent) == sorted([name, result])


def test_overwrite(photo: Path, invert_bytes: Path, capfd: Capture) -> None:
    out = photo.with_name("out.png")
    out.write_text("old")
    error = refused(capfd, photo, "--style", invert_bytes, "-o", out)
    assert f"cannot write {out}: it exists, pass --overwrite" in error
    assert out.read_text() == "old"
    assert main([str(photo), "--style", str(invert_bytes), "-o", str(out), "--overwrite"]) == 0
    np.testing.assert_array_equal(pixels(out), 255 - pixels(photo))


@pytest.mark.parametrize("link", ["same", "symbolic", "hard", "dotted"])
def test_inputs_are_never_overwritten(
    photo: Path, invert_bytes: Path, capfd: Capture, link: str
) -> None:
    model = invert_bytes.rename(invert_bytes.with_suffix(".png"))
    for original in (photo, model):
        before = original.read_bytes()
        out = original.with_name("link.png")
        if link == "same":
            out = original
        elif link == "symbolic":
            out.symlink_to(original)
        elif link == "hard":
            out.hardlink_to(original)
        else:
            out = original.parent / ".." / original.parent.name / original.name
        error = refused(capfd, photo, "--style", model, "-o", out, "--overwrite")
        assert "it is an input" in error
        assert original.read_bytes() == before


@pytest.mark.parametrize("out", ["out", "out/", "deep/er/out"])
def test_a_folder_for_the_result(
    photo: Path, invert_bytes: Path, tmp_path: Path, capfd: Capture, out: str
) -> None:
    argv = [str(photo), "--style", str(invert_bytes), "-o", f"{tmp_path}/{out}"]
    assert main(argv) == 0
    assert names(tmp_path / out) == ["photo.png"]
    capfd.readouterr()
    assert "it exists, pass --overwrite" in refused(capfd, *argv)


def test_another_format(photo: Path, invert_bytes: Path) -> None:
    assert main([str(photo), "--style", str(invert_bytes), "--format", "tiff"]) == 0
    with Image.open(photo.with_name("photo.invert.tiff")) as image:
        assert image.format == "TIFF"


def test_the_smallest_picture(invert_bytes: Path, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), "black").save(tmp_path / "a.png")
    assert main([str(tmp_path / "a.png"), "--style", str(invert_bytes)]) == 0
    assert pixels(tmp_path / "a.invert.png").tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize(("limit", "status"), [("1199", 2), ("1200", 0), ("0.0012MP", 0)])
def test_max_pixels(photo: Path, invert_bytes: Path, limit: str, status: int) -> None:
    assert main([str(photo), "--style", str(invert_bytes), "--max-pixels", limit]) == status


def test_an_animation(invert_bytes: Path, tmp_path: Path, capfd: Capture) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("black", "white", "red")]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[70, 80, 90], loop=0)
    assert main([str(path), "--style", str(invert_bytes)]) == 0
    with Image.open(tmp_path / "a.invert.gif") as result:
        colors = []
        for number in range(3):
            result.seek(number)
            colors.append(result.convert("RGB").getpixel((5, 5)))
            assert result.info["duration"] == 70 + 10 * number
    assert colors == [(255, 255, 255), (0, 0, 0), (0, 255, 255)]
    assert capfd.readouterr().err == ""
    assert main([str(path), "--style", str(invert_bytes), "--format", "bmp"]) == 0
    assert "holds 3 pictures, the result is of the first" in capfd.readouterr().err
    assert pixels(tmp_path / "a.invert.bmp")[5, 5].tolist() == [255, 255, 255]


def test_quiet_and_verbose(photo: Path, invert_bytes: Path, tmp_path: Path, capfd: Capture) -> None:
    argv = [str(photo), "--style", str(invert_bytes), "--overwrite"]
    assert main([*argv, "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    assert main([*argv, "--verbose"]) == 0
    out, err = capfd.readouterr()
    assert out.count("\n") == 1
    assert "photo.invert.png: read 0." in err
    assert " s, network 0." in err


def test_a_shipped_style_by_its_name(photo: Path, capfd: Capture) -> None:
    assert main([str(photo), "--style", "starry-night"]) == 0
    assert names(photo.parent) == ["photo.png", "photo.starry_night.png"]
    capfd.readouterr()
    assert "there is no style stary_nite: did you mean starry_night?" in refused(
        capfd, photo, "--style", "stary_nite"
    )


@pytest.mark.parametrize(
    ("flags", "of_photos", "of_videos"),
    [
        ([], "quality", "realtime"),
        (["--tier", "realtime"], "realtime", "realtime"),
        (["--tier", "quality"], "quality", "quality"),
    ],
)
def test_the_tier_of_photos_and_of_videos(
    flags: list[str],
    of_photos: str,
    of_videos: str,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    taken: dict[str, Any] = {}

    def run(request: Any) -> int:
        taken["photos"] = request.settings.files
        return 0

    def plan_videos(request: Any, *_: object) -> Callable[[], int]:
        taken["videos"] = request.settings.files
        return lambda: 0

    monkeypatch.setattr("nst.infer.jobs.stylize_run.run", run)
    monkeypatch.setattr("nst.infer.commands.videos.plan_videos", plan_videos)
    assert main([str(photo), str(clip), "--style", "starry_night", *flags]) == 0
    assert taken == {
        "photos": [find_style("starry_night", of_photos)],  # type: ignore[arg-type]
        "videos": [find_style("starry_night", of_videos)],  # type: ignore[arg-type]
    }


def test_a_tier_of_a_file(photo: Path, invert_bytes: Path, capfd: Capture) -> None:
    told = refused(capfd, photo, "--style", invert_bytes, "--tier", "quality")
    assert "is a file of your own: leave it out" in told


def test_strength(photo: Path, invert_bytes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    argv = [str(photo), "--style", str(invert_bytes), "-o", str(out), "--overwrite", "--strength"]
    with Image.open(photo) as picture:
        pixels = np.asarray(picture).astype(float)
    for strength in (0.0, 0.25):
        assert main([*argv, str(strength)]) == 0
        expected = (1 - strength) * pixels + strength * (255 - pixels)
        with Image.open(out) as picture:
            assert np.abs(np.asarray(picture) - expected).max() <= 1


def test_quality(photo: Path, invert_bytes: Path, tmp_path: Path) -> None:
    sizes = []
    for quality in ("5", "95"):
        out = tmp_path / f"{quality}.jpg"
        argv = [str(photo), "--style", str(invert_bytes), "-o", str(out), "--quality", quality]
        assert main(argv) == 0
        sizes.append(out.stat().st_size)
    assert sizes[0] < sizes[1] / 2


def test_16_bits_are_told(invert_bytes: Path, tmp_path: Path, capfd: Capture) -> None:
    photo = tmp_path / "deep.tif"
    Image.fromarray(np.full((20, 20), 30000, np.uint16)).save(photo)
    assert main([str(photo), "--style", str(invert_bytes)]) == 0
    assert "has more than 8 bits per channel, the result has 8" in capfd.readouterr().err
    assert (tmp_path / "deep.invert.tif").is_file()


def test_range_and_threads(photo: Path, save_graph: SaveGraph, capfd: Capture) -> None:
    nodes = [helper.make_node("Sub", ["one", "x"], ["y"])]
    model = save_graph("unclear.onnx", nodes, constants={"one": np.float32(1)})
    assert "pass --range 0-1 or --range 0-255" in refused(capfd, photo, "--style", model)
    assert names(photo.parent) == ["photo.png"]
    argv = [str(photo), "--style", str(model), "--range", "0-1", "--threads", "1"]
    assert main(argv) == 0
    result = photo.with_name("photo.unclear.png")
    np.testing.assert_array_equal(pixels(result), 255 - pixels(photo))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--range", "0-2"], "'0-255', '0-1'"),
        (["--strength", "1.5"], "less than or equal to 1"),
        (["--threads", "0"], "greater than or equal to 1"),
        (["--quality", "0"], "greater than or equal to 1"),
        (["--out", "a.psd"], "suffix .psd is not supported, use one of ."),
        (["--out", ""], "--out is empty"),
        (["--out", "photo.png/"], "a file has that name"),
        (["--out", "a.jpg", "--format", "png"], "are two formats: leave one out"),
        (["--format", "psd"], "--format psd is not supported, use one of "),
        (["--max-pixels", "many"], "--max-pixels takes a number such as 250MP or 250000000"),
        (["--max-pixels", "0"], "--max-pixels takes a number"),
        (["--shard", "9/8"], "--shard takes a part such as 3/8"),
        (["--quiet", "--verbose"], "--quiet and --verbose contradict each other"),
        (["--out", "missing/a.png"], "the folder missing does not exist"),
        (["--out", "photo.png/a.png"], "Not a directory"),
        (["--out", "folder.png"], "it is a folder"),
        (["--out", "x" * 252 + ".png"], "File name too long"),
    ],
)
def test_bad_options_are_refused(
    photo: Path,
    invert_bytes: Path,
    capfd: Capture,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    Path("folder.png").mkdir()
    assert message in refused(capfd, photo, "--style", invert_bytes, *argv)
    assert names(photo.parent) == ["folder.png", "photo.png"]


def test_output_is_checked_before_the_work(photo: Path, tmp_path: Path, capfd: Capture) -> None:
    model = tmp_path / "bad.onnx"
    model.write_text("not a model")
    photo.write_text("not a photo")
    error = refused(capfd, photo, "--style", model, "-o", tmp_path / "missing" / "a.png")
    assert "does not exist" in error


def bomb(path: Path) -> None:
    """A PNG of 57 bytes that promises 60000x60000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def bad_photo(path: Path, kind: str) -> None:
    if kind == "missing":
        path.unlink()
    elif kind == "bomb":
        bomb(path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("hello")
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "there is no such file"),
        ("empty", "the file is empty"),
        ("text", "not a picture"),
        ("truncated", "the file is damaged"),
        ("bomb", "it has more than 250 megapixels, shrink it"),
    ],
)
def test_bad_photo_is_refused(
    photo: Path, invert_bytes: Path, tmp_path: Path, capfd: Capture, kind: str, message: str
) -> None:
    bad_photo(photo, kind)
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "a.png"
    error = refused(capfd, photo, "--style", invert_bytes, "-o", out)
    assert f"cannot read {photo}: " in error
    assert message in error
    assert names(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "there is no such file"),
        ("folder", "it is a folder"),
        ("empty", "the file is empty"),
        ("text", "it is not an ONNX model"),
        ("truncated", "damaged or incomplete"),
        ("photo", "it is not an ONNX model"),
    ],
)
def test_bad_model_is_refused(
    photo: Path, invert_bytes: Path, tmp_path: Path, capfd: Capture, kind: str, message: str
) -> None:
    bad_photo(invert_bytes, kind)
    if kind == "photo":
        invert_bytes.write_bytes(photo.read_bytes())
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "a.png"
    error = refused(capfd, photo, "--style", invert_bytes, "-o", out)
    assert str(invert_bytes) in error
    assert message in error
    assert names(tmp_path / "out") == []


def test_model_of_another_kind_is_refused(
    photo: Path, save_graph: SaveGraph, capfd: Capture
) -> None:
    nodes = [helper.make_node("Flatten", ["x"], ["y"])]
    model = save_graph("classifier.onnx", nodes, outputs=[("y", ("n", "classes"))])
    error = refused(capfd, photo, "--style", model)
    assert "is not an image-to-image model: it has 1 input [float (n, 3, h, w)]" in error
    assert names(photo.parent) == ["photo.png"]


def test_model_of_another_size_is_refused(
    photo: Path, save_graph: SaveGraph, capfd: Capture
) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    shape = (1, 3, 224, 224)
    model = save_graph("fixed.onnx", nodes, inputs=[("x", shape)], outputs=[("y", shape)])
    error = refused(capfd, photo, "--style", model)
    assert "takes only pictures of 224x224 pixels" in error
    assert "40x30" in error
    assert names(photo.parent) == ["photo.png"]


def test_no_arguments(capfd: Capture) -> None:
    assert refused(capfd) == "nst-infer: Missing argument 'INPUT...'. (see nst-infer --help)\n"


def test_no_style(photo: Path, capfd: Capture) -> None:
    assert "Missing option '--style'" in refused(capfd, photo)


def test_a_mistyped_command(capfd: Capture) -> None:
    assert main(["stlyes"]) == 2
    assert capfd.readouterr().err == (
        "nst-infer: there is no stlyes: did you mean nst-infer styles?\n"
    )


def test_a_missing_photo_is_no_mistyped_command(invert_bytes: Path, capfd: Capture) -> None:
    assert main(["bench.jpg", f"--style={invert_bytes}"]) == 2
    assert "cannot read bench.jpg: there is no such file" in capfd.readouterr().err


def test_version(capfd: Capture) -> None:
    assert main(["--version"]) == 0
    assert capfd.readouterr() == (f"nst-infer {importlib.metadata.version('nst')}\n", "")


def test_help_names_every_option(capfd: Capture) -> None:
    assert main(["--help"]) == 0
    out = capfd.readouterr().out
    for option in ("--style", "-o, --out", "--overwrite", "--range", "--threads", "--version"):
        assert option in out
    for option in ("--format", "-r, --recursive", "--shard", "--max-pixels", "--json"):
        assert option in out


@pytest.mark.parametrize(
    "stem", ["two words", "\U0001f408\u200d\u2b1b", "two\nlines", "-dash", "x" * 233, "\xe9" * 116]
)
def test_any_file_name(photo: Path, invert_bytes: Path, capfd: Capture, stem: str) -> None:
    model = invert_bytes.rename(invert_bytes.with_name(f"{stem[:2]}.onnx"))
    renamed = photo.rename(photo.with_name(f"{stem}.png"))
    assert main(["--style", str(model), "--", str(renamed)]) == 0
    result = renamed.with_name(f"{stem}.{stem[:2]}.png")
    np.testing.assert_array_equal(pixels(result), 255 - pixels(renamed))
    assert names(photo.parent) == sorted([renamed.name, result.name])
    assert capfd.readouterr().out.count("\n") == 1


def test_default_name_that_is_too_long_is_refused(
    photo: Path, invert_bytes: Path, tmp_path: Path, capfd: Capture
) -> None:
    renamed = photo.rename(photo.with_name("x" * 251 + ".png"))
    error = refused(capfd, renamed, "--style", invert_bytes)
    assert "File name too long, --out gives the result another" in error
    assert names(photo.parent) == [renamed.name]
    assert main([str(renamed), "--style", str(invert_bytes), "-o", f"{tmp_path / 'out'}/"]) == 0
    assert names(tmp_path / "out") == [renamed.name]


def test_full_disk_leaves_nothing(photo: Path, invert_bytes: Path) -> None:
    code = """
import resource, sys
from nst.infer.commands.main import main
from nst.infer.styles import find_style
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
sys.exit(main())
"""
    run = subprocess.run(
        [sys.executable, "-c", code, photo, "--style", invert_bytes],
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    result = photo.with_name("photo.invert.png")
    assert run.stderr == f"nst-infer: cannot write {result}: File too large\n"
    assert names(photo.parent) == ["photo.png"]


def test_run_as_a_module(photo: Path, invert_bytes: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "nst.infer", photo, "--style", invert_bytes],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "")
    result = photo.with_name("photo.invert.png")
    np.testing.assert_array_equal(pixels(result), 255 - pixels(photo))
