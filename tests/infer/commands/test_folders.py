"""Many pictures in one run of ``nst-infer``."""

import errno
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from PIL import Image

from nst.infer.commands.main import main

SaveGraph = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
GIVE_UP_S = 60.0


def tree(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def level(path: Path) -> int:
    """The grey of a picture of one colour."""
    with Image.open(path) as image:
        grey = np.unique(np.asarray(image.convert("L")))
    assert len(grey) == 1
    return int(grey[0])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(here: Path) -> Path:
    """Four pictures in a folder, two of them in its folders."""
    folder = here / "photos"
    for number, name in enumerate(("a.png", "b.bmp", "deep/c.png", "deep/er/d.png")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (number, number, number)).save(path)
    return folder


@pytest.fixture
def style(invert_bytes: Path) -> str:
    return str(invert_bytes)


def run(*argv: str | Path) -> int:
    return main([os.fspath(each) for each in argv])


def test_a_folder_beside_its_pictures(photos: Path, style: str, capfd: Capture) -> None:
    assert run("photos", "--style", style) == 0
    expected = ["a.invert.png", "a.png", "b.bmp", "b.invert.bmp", "deep/c.png", "deep/er/d.png"]
    assert tree(photos) == expected
    assert level(photos / "b.invert.bmp") == 254
    out, err = capfd.readouterr()
    assert sorted(line.split("  ")[0] for line in out.splitlines()) == [
        "photos/a.invert.png",
        "photos/b.invert.bmp",
    ]
    assert err == "nst-infer: 2 done, 0 skipped, 0 failed\n"


def test_a_folder_is_mirrored(photos: Path, style: str, here: Path) -> None:
    assert run("photos", "-r", "--style", style, "-o", "out") == 0
    assert tree(here / "out") == tree(photos)
    for number, name in enumerate(tree(photos)):
        assert level(here / "out" / name) == 255 - number


def test_a_second_run_has_nothing_to_do(photos: Path, style: str, capfd: Capture) -> None:
    argv = ("photos", "--recursive", "--style", style)
    assert run(*argv) == 0
    before = {name: (photos / name).stat().st_mtime_ns for name in tree(photos)}
    assert len(before) == 8
    capfd.readouterr()
    assert run(*argv) == 0
    assert {name: (photos / name).stat().st_mtime_ns for name in tree(photos)} == before
    out, err = capfd.readouterr()
    assert out == ""
    assert "left out as results of an earlier run: " in err
    assert " and 3 more\n" in err
    skipped = "files of their names are there, of whatever photo and style; --overwrite makes them"
    assert f"0 done, 4 skipped ({skipped} again), 0 failed" in err
    assert run(*argv, "--overwrite") == 0
    assert tree(photos) == sorted(before)
    assert "4 done, 0 skipped, 0 failed" in capfd.readouterr().err


def test_results_in_the_folder_itself(photos: Path, style: str) -> None:
    before = {name: (photos / name).read_bytes() for name in tree(photos)}
    for _ in range(2):
        assert run("photos", "-r", "--style", style, "-o", "photos", "--overwrite") == 0
        assert len(tree(photos)) == 8
        assert run("photos", "-r", "--style", style, "-o", "photos/out") == 0
        assert len(tree(photos / "out")) == 4
        for path in (photos / "out").rglob("*.*"):
            path.unlink()
    assert {name: (photos / name).read_bytes() for name in before} == before


def test_patterns_and_several_inputs(photos: Path, style: str, here: Path) -> None:
    assert run("photos/*.png", "photos/deep", "--style", style, "-o", "out") == 0
    assert tree(here / "out") == ["a.png", "c.png"]


def test_several_styles(photos: Path, style: str, here: Path, save_graph: SaveGraph) -> None:
    """Each photo once per style."""
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    same = save_graph("same.onnx", nodes)
    both = ("--style", style, "--style", same, "--range", "0-255")
    assert run("photos/a.png", *both, "-o", "one") == 0
    assert tree(here / "one") == ["a.invert.png", "a.same.png"]
    assert run("photos", "-r", *both, "-o", "out") == 0
    assert len(tree(here / "out")) == 8
    assert level(here / "out" / "deep" / "c.invert.png") == 253
    assert level(here / "out" / "deep" / "c.same.png") == 2


def test_one_photo_in_several_styles_goes_on(
    photos: Path, style: str, here: Path, save_graph: SaveGraph, capfd: Capture
) -> None:
    shape = (1, 3, 7, 7)
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    fixed = save_graph("fixed.onnx", nodes, inputs=[("x", shape)], outputs=[("y", shape)])
    both = ("--style", fixed, "--style", style, "--range", "0-1", "-o", "out")
    assert run("photos/a.png", *both) == 2
    assert "takes only pictures of 7x7 pixels" in capfd.readouterr().err
    assert tree(here / "out") == ["a.invert.png"]


def test_two_styles_of_one_name(photos: Path, style: str, here: Path, capfd: Capture) -> None:
    (here / "other").mkdir()
    (here / "other" / "invert.onnx").write_bytes(Path(style).read_bytes())
    assert run("photos", "--style", style, "--style", "other/invert.onnx") == 2
    assert capfd.readouterr().err.startswith("nst-infer: two styles are called invert")


def test_another_format(photos: Path, style: str, here: Path) -> None:
    Image.new("RGB", (9, 9)).save(photos / "a.jpg")
    assert run("photos", "--style", style, "-o", "out", "--format", "webp") == 0
    assert tree(here / "out") == ["a.jpg.webp", "a.png.webp", "b.webp"]
    for name in tree(here / "out"):
        with Image.open(here / "out" / name) as image:
            assert image.format == "WEBP"


def test_shards_share_the_work(photos: Path, style: str, here: Path, capfd: Capture) -> None:
    seen: list[str] = []
    for number in (3, 1, 2):
        argv = ("photos", "-r", "--style", style, "-o", "out", "--shard", f"{number}/3")
        assert run(*argv) == 0
        now = tree(here / "out")
        assert len(now) > len(seen)
        seen = now
    assert seen == tree(photos)
    capfd.readouterr()
    assert run("photos", "--style", style, "--shard", "8/8") == 0
    assert capfd.readouterr() == ("", "nst-infer: 0 done, 0 skipped, 0 failed\n")


@pytest.mark.parametrize("shard", ["0/8", "9/8", "x"])
def test_wrong_shards(photos: Path, style: str, shard: str, capfd: Capture) -> None:
    assert run("photos", "--style", style, "--shard", shard) == 2
    assert "--shard takes a part such as 3/8" in capfd.readouterr().err


def test_bad_pictures_do_not_stop_the_others(
    photos: Path, style: str, here: Path, capfd: Capture
) -> None:
    (photos / "empty.png").touch()
    (photos / "text.png").write_text("hello")
    Image.new("RGB", (90, 90)).save(photos / "truncated.jpg")
    half = (photos / "truncated.jpg").read_bytes()
    (photos / "truncated.jpg").write_bytes(half[: len(half) * 3 // 4])
    (photos / "itself.png").symlink_to("itself.png")
    assert run("photos", "missing.jpg", "*.gif", "--style", style, "-o", "out") == 1
    assert tree(here / "out") == ["a.png", "b.bmp"]
    *errors, summary = sorted(capfd.readouterr().err.splitlines(), key=lambda line: "done" in line)
    assert summary == "nst-infer: 2 done, 0 skipped, 6 failed"
    for reason in (
        "cannot read photos/empty.png: the file is empty (0 bytes)",
        "cannot read photos/text.png: not a picture, or damaged",
        "cannot read photos/truncated.jpg: the file is damaged",
        "cannot read photos/itself.png: Too many levels of symbolic links",
        "cannot read missing.jpg: there is no such file",
        "cannot read *.gif: no file matches",
    ):
        assert sum(reason in line for line in errors) == 1
    assert len(errors) == 6


def test_a_bad_photo_is_told_once_for_all_styles(
    photos: Path, style: str, here: Path, capfd: Capture
) -> None:
    (photos / "a.png").write_text("hello")
    other = here / "other.onnx"
    other.write_bytes(Path(style).read_bytes())
    assert run("photos", "--style", style, "--style", other, "--quiet") == 1
    assert capfd.readouterr().err == (
        "nst-infer: cannot read photos/a.png: not a picture, or damaged\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.jpg"], "cannot read missing.jpg: there is no such file"),
        (["missing.jpg", "gone.jpg"], "cannot read gone.jpg: there is no such file"),
        (["*.gif"], "cannot read *.gif: no file matches"),
        (["photos/deep/er/none"], "there is no such file"),
        (["empty"], "there is no picture in it, --recursive looks into its folders too"),
        (["x" * 300], "File name too long"),
    ],
)
def test_nothing_to_read(
    photos: Path, style: str, here: Path, words: list[str], message: str, capfd: Capture
) -> None:
    (here / "empty").mkdir()
    assert run(*words, "--style", style, "-o", "out") == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not (here / "out").exists()


@pytest.mark.parametrize("bad", ["style", "out"])
def test_a_bad_style_or_folder_is_found_before_the_work(
    photos: Path, style: str, here: Path, bad: str, capfd: Capture
) -> None:
    (here / "bad").write_text("hello")
    flags = {"style": ("--style", "./bad", "-o", "out"), "out": ("--style", style, "-o", "bad")}
    assert run("photos", *flags[bad]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert tree(here / "photos") == ["a.png", "b.bmp", "deep/c.png", "deep/er/d.png"]
    assert not (here / "out").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_a_folder_of_results_that_cannot_be_written(
    photos: Path, style: str, capfd: Capture
) -> None:
    assert run("photos", "--style", style, "-o", "/proc/self/out") == 2
    assert "cannot use the folder /proc/self/out" in capfd.readouterr().err


def test_an_input_is_never_written_over(photos: Path, style: str, here: Path) -> None:
    before = (photos / "a.png").read_bytes()
    (here / "out").mkdir()
    (here / "out" / "b.bmp").hardlink_to(photos / "a.png")
    (here / "out" / "a.png").symlink_to(photos / "a.png")
    assert run("photos", "--style", style, "-o", "out", "--overwrite") == 1
    assert (photos / "a.png").read_bytes() == before


def test_json(photos: Path, style: str, here: Path, capfd: Capture) -> None:
    (photos / "bad.png").touch()
    argv = ("photos", "*.gif", "--style", style, "-o", "out", "--json", "--device", "cpu")
    assert run(*argv) == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    found: dict[str, dict[str, Any]] = {line["input"]: line for line in lines}
    assert set(found) == {"photos/a.png", "photos/b.bmp", "photos/bad.png", "*.gif"}
    good = found["photos/a.png"]
    assert list(good) == [
        *("input", "output", "style", "size", "seconds", "device"),
        *("tiles", "measured", "error", "skipped"),
    ]
    assert good["output"] == "out/a.png"
    assert (good["style"], good["size"], good["device"]) == ("invert", [30, 20], "cpu")
    assert (good["tiles"], good["measured"], good["error"]) == (1, 1.0, None)
    assert not good["skipped"]
    assert 0 < good["seconds"] < GIVE_UP_S
    bad = found["photos/bad.png"]
    assert "the file is empty" in bad["error"]
    assert [bad[key] for key in ("size", "seconds", "tiles", "measured")] == [None] * 4
    assert found["*.gif"]["output"] is None
    assert run(*argv) == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    skipped = {line["input"] for line in lines if line["skipped"]}
    assert skipped == {"photos/a.png", "photos/b.bmp"}


@pytest.mark.parametrize(
    "stem", ["two words", "\U0001f408\u200d\u2b1b", "two\nlines", "\xe9" * 120]
)
def test_any_file_name(photos: Path, style: str, here: Path, stem: str, capfd: Capture) -> None:
    (photos / "a.png").rename(photos / f"{stem}.png")
    assert run("photos", "--style", style, "-o", "out") == 0
    assert tree(here / "out") == sorted([f"{stem}.png", "b.bmp"])
    assert capfd.readouterr().out.count("\n") == 2


def test_a_default_name_that_is_too_long(photos: Path, style: str, capfd: Capture) -> None:
    (photos / "a.png").rename(photos / f"{'x' * 251}.png")
    assert run("photos", "--style", style) == 1
    assert "File name too long, --out gives the result another" in capfd.readouterr().err
    assert (photos / "b.invert.bmp").is_file()


def test_a_full_disk_ends_the_run(
    photos: Path, style: str, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    for number in range(60):
        (photos / f"{number:02d}.bmp").write_bytes((photos / "b.bmp").read_bytes())

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("nst.infer.files._flush_to_disk", full)
    assert run("photos", "--style", style, "-o", "out", "--threads", "2") == 1
    err = capfd.readouterr().err
    assert "cannot write out/00.bmp: No space left on device" in err
    assert "the disk is full: " in err
    assert err.count("No space left") < 30
    assert tree(here / "out") == []


def test_a_file_that_is_too_large_ends_nothing(photos: Path, style: str, here: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "noise.png")
    code = """
import resource, sys
from nst.infer.commands.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
sys.exit(main())
"""
    result = start(code, "photos", "--style", style, "-o", "out")
    _, err = result.communicate(timeout=GIVE_UP_S)
    assert result.returncode == 1
    assert "cannot write out/noise.png: File too large" in err
    assert tree(here / "out") == ["a.png", "b.bmp"]


def start(code: str, *argv: str, **how: Any) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
    return subprocess.Popen([sys.executable, "-c", code, *argv], **pipes)


INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
from nst.infer.commands.main import main
sys.exit(main())
"""


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + GIVE_UP_S
    while time.monotonic() < end and process.poll() is None and not path.exists():
        time.sleep(0.01)
    assert path.exists(), process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_whole_files_and_goes_on(
    style: str, here: Path, number: signal.Signals
) -> None:
    (here / "photos").mkdir()
    Image.new("RGB", (600, 400), "teal").save(here / "photos" / "0000.png")
    total = 1500
    for copy in range(1, total):
        (here / "photos" / f"{copy:04d}.png").hardlink_to(here / "photos" / "0000.png")
    process = start(INTERRUPTIBLE, "photos", "--style", style, "-o", "out")
    wait_for(here / "out" / "0010.png", process)
    process.send_signal(number)
    out, err = process.communicate(timeout=GIVE_UP_S)
    assert process.returncode == 130
    made = tree(here / "out")
    assert 5 < len(made) < total
    for name in made:
        with Image.open(here / "out" / name) as image:
            image.load()
    told = re.fullmatch(
        rf"nst-infer: (\d+) of {total} results are there, and whole: "
        "without --overwrite the same command makes the others\nnst-infer: interrupted\n",
        err,
    )
    assert told is not None
    # The signal may come between the end of a result and the word of it.
    assert len(made) - 1 <= int(told[1]) <= len(made)
    assert len(made) - 1 <= out.count("\n") <= len(made)


@pytest.mark.parametrize("source", ["photos", "photos/a.png"])
def test_a_network_in_the_middle_of_a_photo_is_left_behind(
    source: str, here: Path, save_graph: SaveGraph
) -> None:
    """It would take a minute; what it works on is not written."""
    weights = {
        f"w{number}": np.zeros((after, before, 9, 9), np.float32)
        for number, (before, after) in enumerate([(3, 96), (96, 96), (96, 96), (96, 3)])
    }
    nodes = [
        helper.make_node("Conv", [f"t{number}", name], [f"t{number + 1}"], pads=[4] * 4)
        for number, name in enumerate(weights)
    ]
    nodes[0].input[0], nodes[-1].output[0] = "x", "y"
    slow = save_graph("slow.onnx", nodes, constants=weights)
    (here / "photos").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (999, 999)).save(here / "photos" / name)
    flags = ("--range", "0-1", "-o", "out/")
    process = start(INTERRUPTIBLE, source, "--style", str(slow), *flags)
    wait_for(here / "out", process)
    time.sleep(1)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=GIVE_UP_S)
    assert process.returncode == 130
    assert time.monotonic() - begin < 10
    assert ("0 of 3 results are there" in err) == (source == "photos")
    assert tree(here / "out") == []


def test_a_bar_where_stderr_is_a_terminal(photos: Path, style: str) -> None:
    ours, theirs = pty.openpty()
    code = "import sys; from nst.infer.commands.main import main; sys.exit(main())"
    process = start(code, "photos", "-r", "--style", style, "--json", stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=GIVE_UP_S)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == 0
    assert "4/4" in shown
    assert all(json.loads(line) for line in out.splitlines())
    assert out.count("\n") == 4


def test_a_reader_that_goes_away_ends_the_run_quietly(photos: Path, style: str) -> None:
    code = "import sys; from nst.infer.commands.main import main; sys.exit(main())"
    process = start(code, "photos", "-r", "--style", style)
    assert process.stdout
    assert process.stderr
    with process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
    assert not [name for name in tree(photos) if ".tmp-" in name]
