"""Frames and their times, where a file tells them badly."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import RATE, annex_b, level_numbers, make_clip, packets

from nst.infer.video.reader import VideoReader

Run = Callable[..., int]
Refused = Callable[..., str]
Capture = pytest.CaptureFixture[str]


def read(
    path: Path, start_s: Fraction | None = None, end_s: Fraction | None = None
) -> tuple[list[int], list[float], VideoReader]:
    """The numbers that ``gray`` gave the frames of a clip, their times in frames, the reader."""
    with closing(VideoReader(path, start_s=start_s, end_s=end_s, threads=2)) as reader:
        found, times = [], []
        while (frame := reader.read()) is not None:
            found.append(float(frame.pixels[..., 0].mean()))
            times.append(round(frame.time_s * float(RATE), 3))
        return level_numbers(found), times, reader


@pytest.mark.parametrize(("codec", "late"), [("libx264", 2), ("mpeg4", 1)])
def test_b_frames_in_avi(tmp_path: Path, codec: str, late: int) -> None:
    """It tells when frames are decoded alone."""
    options = {"bf": "3" if late == 2 else "2", "qmin": "1", "qmax": "1"}
    clip = make_clip(tmp_path / "clip.avi", frames=31, codec=codec, options=options)
    numbers, times, reader = read(clip)
    assert np.abs(np.subtract(numbers, range(31))).max() <= (codec == "mpeg4")
    assert times == [number + late for number in range(31)]
    assert reader.lost_frames == 0


def test_the_first_frames_have_no_times(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", frames=20, options={"crf": "1", "bf": "0"})
    with closing(VideoReader(clip)) as reader:
        source = iter(reader._frames)
        frames = [reader._ahead, *source]
        for frame in frames[:5]:
            frame.pts = None
        reader._decoded = lambda: iter(frames)  # type: ignore[method-assign]
        times = [frame.pts for frame in reader._timed()]
    assert times == [40 * number for number in range(20)]


def test_frames_out_of_order_are_told(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", frames=20, options={"crf": "1", "bf": "0"})
    with closing(VideoReader(clip)) as reader:
        frames = [reader._ahead, *reader._frames]
        frames[7].pts = frames[9].pts = 40
        reader._decoded = lambda: iter(frames)  # type: ignore[method-assign]
        assert len(list(reader._in_range())) == 18
    assert reader.lost_frames == 2
    assert "2 frames (0.1 s) missing" in reader.notices[0]


def test_damage_that_is_concealed_is_told(run: Run, tmp_path: Path, capfd: Capture) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 96, 128, 3), np.uint8)
    clip = make_clip(
        tmp_path / "clip.mp4",
        frames=50,
        paint=lambda n: noise[n],
        options={"g": "50", "bf": "0", "crf": "25"},
    )
    with av.open(str(clip)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(clip.read_bytes())
    for place, size in places[20:23]:
        assert place is not None
        content[place + size // 2 : place + size] = b"\xff" * (size - size // 2)
    clip.write_bytes(content)
    assert run(clip) == 0
    assert "it is damaged: 3 frames could be decoded in part alone" in capfd.readouterr().err


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("start", [18, 19, 20, 21])
def test_every_frame_from_the_start(tmp_path: Path, suffix: str, start: int) -> None:
    """Files are sought by when frames are decoded, which is before they are shown."""
    options = {"crf": "1", "g": "20", "bf": "3", "x264-params": "open-gop=1"}
    clip = make_clip(tmp_path / f"clip{suffix}", frames=31, options=options)
    numbers, times, _ = read(clip, start_s=Fraction(start, 25))
    assert numbers == list(range(start, 31))
    assert times[0] == 0


def test_a_file_that_cannot_be_sought(refused: Refused, run: Run, tmp_path: Path) -> None:
    options = {"crf": "1", "x264-params": "repeat-headers=1"}
    plain = make_clip(tmp_path / "plain.mkv", frames=30, options=options)
    clip = tmp_path / "clip.mkv"
    clip.write_bytes(annex_b(plain))
    assert f"cannot seek in {clip}: leave out --start" in refused(clip, "--start", "0.5")
    assert run(clip) == 0


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_frame_for_hours(run: Run, tmp_path: Path, suffix: str) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        frames=3,
        times=[0, 9_000_000, 18_000_000],
        time_base=Fraction(1, 1000),
        options={"bf": "0"},
    )
    out = tmp_path / f"out{suffix}"
    assert run(clip, "-o", out) == 0
    assert len(packets(out, "video")) == 3
