"""What cannot be done is told in one line."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import annex_b, frame_times, frames_of, gray, levels, make_clip
from onnx import TensorProto, helper

Run = Callable[..., int]
Refused = Callable[..., str]
Capture = pytest.CaptureFixture[str]
SaveGraph = Callable[..., Path]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"some text\n" * 100, "it is no video, or damaged")],
)
def test_no_video(refused: Refused, tmp_path: Path, content: bytes, reason: str) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(content)
    assert f"cannot read {clip}: {reason}" in refused(clip)
    assert list(tmp_path.glob("*.mp4")) == [clip]


def test_missing(refused: Refused, tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "clip.mp4")


def test_sound_alone(refused: Refused, tmp_path: Path) -> None:
    song = make_clip(tmp_path / "song.mkv", audio="aac")
    alone = tmp_path / "song.mp4"
    with av.open(str(song)) as source, av.open(str(alone), "w") as out:
        copy = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    assert f"cannot read {alone}: there is no video in it" in refused(alone)


def test_a_cover_is_no_video(refused: Refused, tmp_path: Path) -> None:
    song = tmp_path / "song.mp4"
    with av.open(str(song), "w") as out:
        picture = out.add_stream("mjpeg", rate=1)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(gray(0), "rgb24")
        out.mux(picture.encode(frame.reformat(format="yuvj420p")))
        out.mux(picture.encode())
    assert "there is no video in it" in refused(song)


def test_truncated_before_its_index(refused: Refused, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=30)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert "it is no video, or damaged" in refused(clip)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_truncated(run: Run, tmp_path: Path, capfd: Capture, suffix: str) -> None:
    """What can be decoded is stylized, and the loss is told."""
    clip = tmp_path / f"clip{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (50, 48, 64, 3), np.uint8)
    make_clip(
        tmp_path / "whole.mkv",
        frames=50,
        paint=lambda n: noise[n],
        options={"bf": "0"},
        audio="aac",
    )
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    whole = str(tmp_path / "whole.mkv")
    with av.open(whole) as source, av.open(str(clip), "w", options=options) as out:
        copies = {each: out.add_stream_from_template(each, opaque=True) for each in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream]
                out.mux(packet)
    clip.write_bytes(clip.read_bytes()[: int(clip.stat().st_size * 0.6)])
    result = tmp_path / f"out{suffix}"
    assert run(clip, "-o", result) == 0
    count = len(frame_times(result))
    assert 20 < count < 40
    error = capfd.readouterr().err
    assert error.startswith(f"nst-infer: {clip}: it is damaged: ")
    lost = int(error.split("damaged: ")[1].split()[0])
    assert abs(count + lost - 50) <= 2


def test_damaged_in_the_middle(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=40, options={"g": "1", "bf": "0"})
    with av.open(str(clip)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(clip.read_bytes())
    for start, size in places[10:13]:
        assert start is not None
        content[start : start + size] = b"\xff" * size
    clip.write_bytes(content)
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    shown = [*range(10), *range(13, 40)]
    assert frame_times(out) == [Fraction(number, 25) for number in shown]
    assert "3 frames (0.1 s) missing" in capfd.readouterr().err


def test_odd_sizes(run: Run, tmp_path: Path, capfd: Capture) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (31, 41, 3), np.uint8)
    picture = np.repeat(np.repeat(picture[:4, :6], 8, 0), 8, 1)[:31, :41]
    clip = make_clip(
        tmp_path / "clip.webm", codec="libvpx-vp9", paint=lambda n: picture, options={"crf": "4"}
    )
    assert run(clip, "-o", tmp_path / "out.webm") == 0
    assert frames_of(tmp_path / "out.webm")[0].shape == (31, 41, 3)
    assert capfd.readouterr().err == ""
    assert run(clip, "-o", tmp_path / "out.mp4") == 0
    frame = frames_of(tmp_path / "out.mp4")[0].astype(int)
    assert frame.shape == (32, 42, 3)
    assert np.abs(frame[:, -1] - frame[:, -2]).mean() < 4
    assert "needs even sizes" in capfd.readouterr().err


def test_a_size_that_changes(run: Run, tmp_path: Path, capfd: Capture) -> None:
    small, large = (
        make_clip(
            tmp_path / f"{side}.mkv",
            paint=lambda n, side=side: np.full((side, side, 3), 120, np.uint8),  # type: ignore[misc]
            options={"crf": "1", "x264-params": "repeat-headers=1"},
        )
        for side in (64, 96)
    )
    clip = tmp_path / "clip.h264"
    clip.write_bytes(b"".join(annex_b(each) for each in (small, large)))
    clip = clip.rename(tmp_path / "clip.mkv")
    assert run(clip, "-o", tmp_path / "out.mp4") == 0
    frames = frames_of(tmp_path / "out.mp4")
    assert {frame.shape for frame in frames} == {(64, 64, 3)}
    assert len(frames) == 20
    assert "its frames change their size" in capfd.readouterr().err


def test_ten_bits(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", pix_fmt="yuv420p10le")
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out) == 0
    assert levels(out) == pytest.approx(levels(clip), abs=2)
    with av.open(str(out)) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"
    assert "its colours have 10 bits: they are written with 8" in capfd.readouterr().err


@pytest.mark.parametrize(("transfer", "kind"), [(16, "PQ"), (18, "HLG")])
def test_hdr(refused: Refused, tmp_path: Path, transfer: int, kind: str) -> None:
    clip = make_clip(tmp_path / "clip.mp4", pix_fmt="yuv420p10le", tags=(9, 9, transfer, 1))
    error = refused(clip)
    assert f"it is HDR ({kind}), convert it to SDR first" in error


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--codec", "nosuch"], "--codec nosuch is unknown: use h264, hevc, vp9, av1"),
        (["--codec", "aac"], "--codec aac is unknown"),
        (["--codec", "mpeg4", "--crf", "20"], "--crf means nothing to mpeg4"),
        (["--crf", "60"], "--crf 60: libx264 takes 0 to 51"),
        (["-o", "out.webm", "--codec", "h264"], ".webm cannot hold h264"),
        (["-o", "out.mov", "--codec", "vp9"], ".mov cannot hold vp9"),
        (["-o", "out.gif", "--codec", "h264"], "--codec means nothing for a GIF"),
        (["-o", "out.gif", "--crf", "20"], "--crf means nothing"),
        (["-o", "out.xyz"], "its extension is unknown, use one of .mp4, "),
        (["-o", "out.jpg"], "its extension is unknown"),
        (["-o", ""], "--out is empty"),
        (["--start", "5"], "--start 5 is beyond the end"),
        (["--start", "2", "--end", "1"], "--end 1 is not after --start 2"),
        (["--end", "0"], "--end 0 is not after --start 0"),
        (["--start", "soon"], "--start takes seconds or h:m:s"),
        (["--fps", "many"], "--fps takes frames per second"),
        (["--fps", "0"], "--fps takes frames per second"),
        (["--max-pixels", "1000"], "--max-pixels raises the limit"),
        (["--quality", "90"], "--quality is for pictures"),
        (["--format", "webp"], "--format is for pictures"),
        (["--shard", "1/2"], "--shard is for pictures"),
        (["--recursive"], "--recursive is for pictures"),
    ],
)
def test_flags(
    refused: Refused, tmp_path: Path, argv: list[str], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clip.mp4")
    assert reason in refused("clip.mp4", *argv)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "models"}


@pytest.mark.parametrize(
    "argv",
    [("--crf", "20"), ("--codec", "vp9"), ("--fps", "5"), ("--start", "1"), ("--end", "1")],
)
def test_flags_of_videos_for_a_photo(refused: Refused, photo: Path, argv: tuple[str, str]) -> None:
    assert f"{argv[0]} is for videos, and there are none among the inputs" in refused(photo, *argv)


def test_sound_that_does_not_fit(refused: Refused, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", audio="aac")
    error = refused(clip, "-o", tmp_path / "out.webm")
    assert ".webm cannot hold the sound (aac), use .mp4" in error
    assert not list(tmp_path.glob("out*"))


def test_the_clip_itself(refused: Refused, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    before = clip.read_bytes()
    assert "it is an input" in refused(clip, "-o", clip, "--overwrite")
    assert clip.read_bytes() == before


def test_overwrite(run: Run, refused: Refused, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    out = tmp_path / "out.mp4"
    out.write_text("old")
    assert "it exists, pass --overwrite" in refused(clip, "-o", out)
    assert out.read_text() == "old"
    assert run(clip, "-o", out, "--overwrite") == 0
    assert len(frame_times(out)) == 10


def test_a_model_with_one_size(refused: Refused, tmp_path: Path, save_graph: SaveGraph) -> None:
    shape = (1, 32, 32, 3)
    model = save_graph(
        "fixed.onnx",
        [helper.make_node("Identity", ["x"], ["y"])],
        elem_type=TensorProto.UINT8,
        inputs=[("x", shape)],
        outputs=[("y", shape)],
    )
    clip = make_clip(tmp_path / "clip.mp4")
    error = refused(clip, "--style", model)
    assert "takes only pictures of 32x32 pixels" in error
    assert not list(tmp_path.glob("*partial*"))


def test_no_more_space(tmp_path: Path, identity: Path) -> None:
    """What fits is kept, and its name is told."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 96, 128, 3), np.uint8)
    clip = make_clip(
        tmp_path / "clip.mkv", frames=200, paint=lambda n: noise[n], options={"crf": "30"}
    )
    out = tmp_path / "out.mkv"
    limit = 600_000

    def restrict() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "nst.infer",
            clip,
            "-o",
            out,
            "--style",
            identity,
            "--device",
            "cpu",
        ],
        check=False,
        preexec_fn=restrict,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stderr.startswith(f"nst-infer: cannot write {out}: {os.strerror(27)}; what was done")
    assert run.stderr.count("\n") == 1
    assert not out.exists()
    assert 5 < len(frame_times(tmp_path / "out.partial.mkv")) < 200


def test_av_is_told(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    for name in [name for name in sys.modules if name.startswith("nst.infer.video")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'nst[video]' brings it" in refused(clip)
