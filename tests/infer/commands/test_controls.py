"""The flags of ``nst-infer`` that say how a picture is stylized."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst.infer.commands.main import main
from nst.infer.jobs.report import Report

Capture = pytest.CaptureFixture[str]
Levels = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def stylized(photo: Path, style: Path, *flags: str) -> Levels:
    out = photo.with_name("out.png")
    assert main([str(photo), "--style", str(style), "-o", str(out), "--overwrite", *flags]) == 0
    return levels(out)


def levels(path: Path) -> Levels:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def refusal(capfd: Capture, photo: Path, style: Path, *flags: str) -> str:
    before = sorted(photo.parent.iterdir())
    assert main([str(photo), "--style", str(style), *flags]) == 2
    assert sorted(photo.parent.iterdir()) == before
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    return error


def test_size(photo: Path, invert_bytes: Path) -> None:
    assert stylized(photo, invert_bytes, "--size", "20").shape == (15, 20, 3)
    assert stylized(photo, invert_bytes, "--size", "4000").shape == (30, 40, 3)


def test_brush(photo: Path, invert_bytes: Path) -> None:
    exact = 255 - levels(photo)
    assert np.array_equal(stylized(photo, invert_bytes, "--brush", "1"), exact)
    for brush in ("2", "0.5", "AUTO"):
        found = stylized(photo, invert_bytes, "--brush", brush)
        assert found.shape == exact.shape
        assert not np.array_equal(found, exact)


def test_keep_colors(photo: Path, invert_bytes: Path) -> None:
    found = stylized(photo, invert_bytes, "--keep-colors")
    assert not np.array_equal(found, 255 - levels(photo))
    assert not np.array_equal(found, levels(photo))


def test_mask(photo: Path, invert_bytes: Path) -> None:
    mask = photo.with_name("mask.png")
    Image.fromarray(np.repeat([[0, 255]], 20, axis=1).astype(np.uint8)).save(mask)
    found = stylized(photo, invert_bytes, "--mask", str(mask))
    assert np.array_equal(found[:, :18], levels(photo)[:, :18])
    assert np.array_equal(found[:, -18:], 255 - levels(photo)[:, -18:])


def test_the_mask_is_never_overwritten(photo: Path, invert_bytes: Path, capfd: Capture) -> None:
    mask = photo.with_name("mask.png")
    Image.new("L", (4, 4)).save(mask)
    flags = ("--mask", str(mask), "-o", str(mask), "--overwrite")
    assert "it is an input" in refusal(capfd, photo, invert_bytes, *flags)


def test_a_device(photo: Path, invert_bytes: Path, capfd: Capture) -> None:
    stylized(photo, invert_bytes, "--device", "cpu", "--json")
    assert json.loads(capfd.readouterr().out)["device"] == "cpu"
    stylized(photo, invert_bytes, "--device", "auto", "--verbose")
    assert "is the fastest device that works here" in capfd.readouterr().err


def test_max_memory(photo: Path, invert_bytes: Path) -> None:
    assert np.array_equal(
        stylized(photo, invert_bytes, "--max-memory", "1.5GB"), 255 - levels(photo)
    )


def test_a_mask_that_is_transparent(photo: Path, invert_bytes: Path) -> None:
    mask = photo.with_name("mask.png")
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(mask)
    assert np.array_equal(stylized(photo, invert_bytes, "--mask", str(mask)), levels(photo))


def test_more_threads_than_cores(photo: Path, invert_bytes: Path) -> None:
    found = stylized(photo, invert_bytes, "--threads", "99999999999", "--device", "cpu")
    assert np.array_equal(found, 255 - levels(photo))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--size", "0"), "--size"),
        (("--brush", "17"), "--brush takes a number from 0.25 to 16, or auto, not '17'"),
        (("--brush", "nan"), "--brush takes a number"),
        (("--brush", "big"), "--brush takes a number"),
        (("--mask", "nowhere.png"), "there is no such file"),
        (("--device", "abacus"), "unknown device abacus: use one of auto, "),
        (("--max-memory", "lots"), "--max-memory takes a number such as 250MB or 250000000"),
        (("--max-memory", "0MB"), "--max-memory takes a number"),
        (("--max-memory", "100"), "raise --max-memory or give a smaller picture"),
    ],
)
def test_what_is_refused(
    photo: Path, invert_bytes: Path, capfd: Capture, flags: tuple[str, ...], message: str
) -> None:
    assert message in refusal(capfd, photo, invert_bytes, *flags)


@pytest.mark.parametrize("command", ["bench", "info", "sheet", "styles"])
def test_other_commands(command: str, capfd: Capture) -> None:
    assert main([command, "--help"]) == 0
    assert f"nst-infer {command}" in capfd.readouterr().out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("quiet", [False, True])
def test_a_bar_for_a_large_picture(quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Report(device="cpu", as_json=False, quiet=quiet, verbose=False) as report:
        report.progress(0.25)
        report.progress(0.5)
    assert ("50%" in terminal.getvalue()) is not quiet
