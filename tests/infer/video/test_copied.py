"""Sound and all else that is in a clip beside its frames."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import frame_times, make_clip, packets

from nst.infer.video.copied import CopiedStreams

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_sound_of_a_late_video_in_avi(run: Run, tmp_path: Path) -> None:
    """Such a file begins with its first frame, and so does what is heard with it."""
    clip = make_clip(
        tmp_path / "clip.mkv",
        frames=30,
        times=range(25, 55),
        audio="pcm_s16le",
        audio_end_s=2,
        options={"bf": "0", "crf": "1"},
    )
    out = tmp_path / "out.avi"
    assert run(clip, "-o", out) == 0
    with av.open(str(clip)) as container:
        assert container.streams.audio[0].start_time == 0
        sound = b"".join(
            bytes(packet)
            for packet in container.demux(audio=0)
            if packet.size and packet.pts is not None and packet.pts >= 1000
        )
    copied = b"".join(content for _, _, content in packets(out, "audio"))
    assert copied == sound
    assert 0.9 < len(copied) / 4 / 48000 <= 1.01


def test_the_end_ends_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=500, audio="aac")
    given = 0

    class Counting:
        def __init__(self, container: object) -> None:
            self._container = container

        def __getattr__(self, name: str) -> object:
            return getattr(self._container, name)

        def demux(self) -> object:
            nonlocal given
            for packet in self._container.demux():  # type: ignore[attr-defined]
                given += 1
                yield packet

    span = {"start_s": None, "end_s": Fraction(1)}
    with closing(CopiedStreams(clip, tmp_path / "out.mkv", **span)) as copied:
        monkeypatch.setattr(copied, "_container", Counting(copied._container))
        times = [packet.pts for packet in copied._in_range()]
    assert 46_000 < times[-1] < 48_000
    assert given < 200


def test_streams_that_are_left_out_are_told(run: Run, tmp_path: Path, capfd: Capture) -> None:
    plain, clip = make_clip(tmp_path / "plain.mp4"), tmp_path / "clip.mkv"
    with av.open(str(plain)) as source, av.open(str(clip), "w") as out:
        first = out.add_stream_from_template(source.streams.video[0])
        out.add_stream_from_template(source.streams.video[0])
        out.add_attachment("letters.ttf", "font/ttf", b"letters")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = first
                out.mux(packet)
    assert run(clip, "-o", tmp_path / "out.mkv") == 0
    assert capfd.readouterr().err.splitlines() == [
        f"nst-infer: {clip}: its other video (h264) is left out",
        f"nst-infer: {clip}: its attachment letters.ttf is left out",
    ]


def test_chapters_are_no_stream_that_is_left_out(run: Run, tmp_path: Path, capfd: Capture) -> None:
    clip = make_clip(tmp_path / "clip.mp4", chapters=[(0, 200, "out"), (200, 400, "home")])
    with av.open(str(clip)) as container:
        assert [stream.type for stream in container.streams] == ["video", "data"]
    assert run(clip) == 0
    assert capfd.readouterr().err == ""


def test_an_encoder_with_a_coarse_clock(run: Run, tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4",
        times=[3600 * number for number in range(10)],
        time_base=Fraction(1, 90000),
    )
    out = tmp_path / "out.mp4"
    assert run(clip, "-o", out, "--codec", "mpeg4") == 0
    times = np.array([float(time) for time in frame_times(out)])
    assert np.diff(times) == pytest.approx([0.04] * 9)
