"""``nst-infer -``: a picture in, a picture out."""

import json
import os
import pty
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TIMEOUT_S = 60


def run(content: bytes, *argv: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "nst.infer", "-", *argv],
        input=content,
        check=False,
        capture_output=True,
        timeout=TIMEOUT_S,
    )


def encoded(kind: str) -> bytes:
    content = BytesIO()
    Image.new("RGB", (30, 20), "red").save(content, kind)
    return content.getvalue()


@pytest.mark.parametrize(
    ("kind", "flags", "result"),
    [
        ("PNG", [], "PNG"),
        ("JPEG", [], "JPEG"),
        ("WEBP", [], "WEBP"),
        ("PCX", [], "PNG"),
        ("PNG", ["--format", "bmp"], "BMP"),
    ],
)
def test_format_in_is_format_out(
    kind: str, flags: list[str], result: str, invert_bytes: Path
) -> None:
    process = run(encoded(kind), "--style", invert_bytes, *flags)
    assert (process.returncode, process.stderr) == (0, b"")
    with Image.open(BytesIO(process.stdout)) as image:
        assert (image.format, image.size) == (result, (30, 20))
        wanted = np.array([0, 255, 255])
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - wanted).max() <= 4


def test_a_file_to_stdout(invert_bytes: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.webp"
    photo.write_bytes(encoded("WEBP"))
    argv = [sys.executable, "-m", "nst.infer", str(photo), "--style", str(invert_bytes), "-o", "-"]
    process = subprocess.run(argv, check=True, capture_output=True, timeout=TIMEOUT_S)
    assert process.stderr == b""
    with Image.open(BytesIO(process.stdout)) as image:
        assert (image.format, image.size) == ("WEBP", (30, 20))
    assert not Path("-").exists()
    process = subprocess.run([*argv, str(tmp_path)], check=False, capture_output=True)
    assert process.returncode == 2
    assert b"--out - takes one picture and one style" in process.stderr


def test_to_a_file(invert_bytes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.webp"
    process = run(encoded("PNG"), "--style", invert_bytes, "-o", out, "--json")
    line = json.loads(process.stdout)
    assert (line["input"], line["output"]) == ("the standard input", str(out))
    with Image.open(out) as image:
        assert image.format == "WEBP"


def test_an_animation(invert_bytes: Path) -> None:
    content = BytesIO()
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "lime")]
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=90)
    process = run(content.getvalue(), "--style", invert_bytes)
    with Image.open(BytesIO(process.stdout)) as image:
        assert getattr(image, "n_frames", 1) == 2
    process = run(content.getvalue(), "--style", invert_bytes, "--format", "bmp")
    assert b"the standard input holds 2 pictures, the result is of the first" in process.stderr


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        (b"", [], "cannot read the standard input: it is empty (0 bytes)"),
        (b"hello", [], "cannot read the standard input: not a picture, or damaged"),
        (encoded("PNG")[:-30], [], "cannot read the standard input: the file is damaged"),
        (encoded("PNG"), ["b.png"], "it takes no others and one style"),
        (encoded("PNG"), ["--style", "b.onnx"], "it takes no others and one style"),
        (encoded("PNG"), ["-o", "folder/"], "has no name for a file in a folder"),
        (encoded("PNG"), ["--json"], "would both go to the standard output"),
        (encoded("PNG"), ["--max-pixels", "599"], "more than 0.000599 megapixels"),
        (encoded("PNG"), ["--format", "x"], "--format x is not supported"),
    ],
)
def test_what_cannot_be(
    content: bytes,
    flags: list[str],
    message: str,
    invert_bytes: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.onnx").write_bytes(invert_bytes.read_bytes())
    process = run(content, "--style", invert_bytes, *flags)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.count(b"\n") == 1
    assert message in process.stderr.decode()


def test_not_to_a_terminal(invert_bytes: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.run(
        [sys.executable, "-m", "nst.infer", "-", "--style", invert_bytes],
        input=encoded("PNG"),
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=TIMEOUT_S,
    )
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 2
    assert b"would go to the terminal" in process.stderr


@pytest.mark.parametrize("command", ["-", "--help"])
def test_a_full_disk_behind_it(command: str, invert_bytes: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "nst.infer", command, "--style", invert_bytes],
            input=encoded("PNG"),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=TIMEOUT_S,
        )
    assert process.returncode == 2
    assert process.stderr == (
        b"nst-infer: cannot write to the standard output: No space left on device\n"
    )


def test_the_mask_stays(invert_bytes: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    Image.new("L", (4, 4)).save(mask)
    before = mask.read_bytes()
    flags: list[str | Path] = ["--mask", mask, "-o", mask, "--overwrite"]
    process = run(encoded("PNG"), "--style", invert_bytes, *flags)
    assert process.returncode == 2
    assert b"it is an input" in process.stderr
    assert mask.read_bytes() == before


@pytest.mark.parametrize("flags", [["--recursive"], ["--shard", "9/3"]])
def test_flags_for_many(flags: list[str], invert_bytes: Path) -> None:
    process = run(encoded("PNG"), "--style", invert_bytes, *flags)
    assert (process.returncode, process.stdout) == (2, b"")
    assert b"no --recursive, no --shard" in process.stderr
