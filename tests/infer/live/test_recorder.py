from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from live_parts import grey_frames

from nst.infer import UserError
from nst.infer.live.recorder import Recorder
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.writer import VideoWriter


def read(path: Path) -> list[tuple[float, Any]]:
    with av.open(str(path)) as container:
        return [
            (frame.time or 0.0, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def test_frames_keep_their_times(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    times = [1000.0, 1000.033, 1000.066, 1000.3, 1000.31, 1001.0]
    recorder = Recorder(path)
    for frame, time_s in zip(grey_frames([20, 60, 100, 140, 180, 220]), times, strict=True):
        recorder.write(frame._replace(time_s=time_s))
    assert not path.exists()
    recorder.close()
    frames = read(path)
    assert [time_s for time_s, _ in frames] == pytest.approx([t - 1000 for t in times], abs=1e-3)
    levels = [int(np.median(pixels)) for _, pixels in frames]
    assert levels == pytest.approx([20, 60, 100, 140, 180, 220], abs=4)
    assert recorder.frames == 6
    recorder.close()


@pytest.mark.parametrize("rgb", [(220, 30, 30), (30, 200, 30), (30, 30, 220)])
def test_colors(tmp_path: Path, rgb: tuple[int, int, int]) -> None:
    pixels = np.full((48, 64, 3), rgb, np.uint8)
    recorder = Recorder(tmp_path / "clip.mkv")
    recorder.write(TimedFrame(pixels, 5.0))
    recorder.close()
    ((_, seen),) = read(tmp_path / "clip.mkv")
    assert np.abs(seen.astype(int) - pixels).max() <= 8


def test_odd_sizes_and_changed_sizes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    for number, size in enumerate([(65, 49), (65, 49), (130, 98)]):
        recorder.write(grey_frames([100], size)[0]._replace(time_s=number / 10))
    recorder.close()
    shapes = {pixels.shape for _, pixels in read(tmp_path / "clip.mp4")}
    assert len(shapes) == 1
    ((height, width, _),) = shapes
    assert height in (48, 50)
    assert width in (64, 66)


def test_frames_that_come_at_once_are_one(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    for frame in grey_frames([20, 200]):
        recorder.write(frame._replace(time_s=3.0))
    recorder.close()
    assert len(read(tmp_path / "clip.mp4")) == 1


def test_no_frame_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.close()
    assert list(tmp_path.iterdir()) == []
    assert recorder.frames == 0


def test_what_cannot_be_written_is_told_first(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*clip\.png"):
        Recorder(tmp_path / "clip.png")
    with pytest.raises(UserError, match="does not exist"):
        Recorder(tmp_path / "nowhere" / "clip.mp4")


def test_what_came_before_a_failure_can_be_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = grey_frames([20, 60, 100])
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(first)
    recorder.write(second)

    def fail(writer: VideoWriter, frame: TimedFrame) -> None:
        raise UserError("cannot write clip.mp4: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(VideoWriter, "write", fail)
        with pytest.raises(UserError, match="No space left"):
            recorder.write(third)
    recorder.close()
    assert len(read(tmp_path / "clip.mp4")) == 2


def test_a_file_that_cannot_be_finished_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(grey_frames([20])[0])

    def fail(writer: VideoWriter) -> None:
        raise UserError("cannot write clip.mp4: No space left on device")

    monkeypatch.setattr(VideoWriter, "close", fail)
    with pytest.raises(UserError, match="No space left"):
        recorder.close()
    assert list(tmp_path.iterdir()) == []
