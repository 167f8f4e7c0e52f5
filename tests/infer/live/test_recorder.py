import contextlib
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError
from live_parts import grey_frames, read_clip

from nst.infer import UserError
from nst.infer.engine.frames import Frame
from nst.infer.live.recorder import Recorder
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.writer import VideoWriter


def test_frames_keep_their_times(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    times = [1000.0, 1000.033, 1000.066, 1000.3, 1000.31, 1001.0]
    recorder = Recorder(path)
    for frame, time_s in zip(grey_frames([20, 60, 100, 140, 180, 220]), times, strict=True):
        recorder.write(frame._replace(time_s=time_s))
    assert not path.exists()
    recorder.close()
    frames = read_clip(path)
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
    ((_, seen),) = read_clip(tmp_path / "clip.mkv")
    assert np.abs(seen.astype(int) - pixels).max() <= 8


def test_odd_sizes_and_changed_sizes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    for number, size in enumerate([(65, 49), (65, 49), (130, 98)]):
        recorder.write(grey_frames([100], size)[0]._replace(time_s=number / 10))
    recorder.close()
    shapes = {pixels.shape for _, pixels in read_clip(tmp_path / "clip.mp4")}
    assert len(shapes) == 1
    ((height, width, _),) = shapes
    assert height in (48, 50)
    assert width in (64, 66)


def test_frames_that_come_at_once_are_one(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "clip.mp4")
    for frame in grey_frames([20, 200]):
        recorder.write(frame._replace(time_s=3.0))
    recorder.close()
    assert len(read_clip(tmp_path / "clip.mp4")) == 1


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


@contextlib.contextmanager
def files_of_at_most(number: int) -> Iterator[None]:
    """What is written beyond that many bytes fails, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (number, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def write_all(recorder: Recorder, frames: Iterable[Frame]) -> None:
    for number, frame in enumerate(frames):
        recorder.write(TimedFrame(frame, number / 30))


def playable_frames(path: Path) -> int:
    frames = 0
    with av.open(str(path)) as container, contextlib.suppress(FFmpegError):
        for _ in container.decode(video=0):  # up to the one that was cut off
            frames += 1
    return frames


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_leaves_what_was_recorded(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 48, 64, 3), np.uint8)
    recorder = Recorder(tmp_path / f"clip{suffix}")
    left = tmp_path / f"clip.partial{suffix}"
    with files_of_at_most(400_000):
        with pytest.raises(UserError, match=r"cannot write .*clip\.m") as caught:
            write_all(recorder, noise)
        recorder.close()
    assert str(caught.value).endswith(f"; what could be recorded is in {left}")
    assert list(tmp_path.iterdir()) == [left]
    assert playable_frames(left) >= 60


def test_a_recording_that_was_left_is_kept(tmp_path: Path) -> None:
    for number in ("", "-2"):
        left = tmp_path / f"clip.partial{number}.mp4"
        left.write_bytes(b"precious")
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(grey_frames([20])[0])
    assert (tmp_path / "clip.partial-3.mp4").exists()
    recorder.close()
    assert len(read_clip(tmp_path / "clip.mp4")) == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "clip.mp4").symlink_to(tmp_path / "disk" / "real.mp4")
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(grey_frames([20])[0])
    recorder.close()
    assert (tmp_path / "clip.mp4").is_symlink()
    assert len(read_clip(tmp_path / "disk" / "real.mp4")) == 1


def test_a_file_that_cannot_be_finished_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"before")
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(grey_frames([20])[0])

    def fail(writer: VideoWriter) -> None:
        raise UserError("cannot write clip.mp4: No space left on device")

    monkeypatch.setattr(VideoWriter, "close", fail)
    with pytest.raises(UserError, match=r"No space left on device; .* is in .*clip\.partial\.mp4$"):
        recorder.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["clip.mp4", "clip.partial.mp4"]
    assert (tmp_path / "clip.mp4").read_bytes() == b"before"


def test_nothing_is_left_without_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(writer: VideoWriter, *given: object, **named: object) -> None:
        raise UserError("cannot write clip.mp4: the encoder refuses")

    def fail(writer: VideoWriter, frame: TimedFrame) -> None:
        raise UserError("cannot write clip.mp4: No space left on device")

    first, second = grey_frames([20, 30])
    with monkeypatch.context() as patch:
        patch.setattr(VideoWriter, "__init__", refuse)
        recorder = Recorder(tmp_path / "clip.mp4")
        with pytest.raises(UserError, match="refuses"):
            recorder.write(first)
        recorder.close()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(VideoWriter, "write", fail)
    recorder = Recorder(tmp_path / "clip.mp4")
    recorder.write(first)
    with pytest.raises(UserError, match=r"No space left on device$"):
        recorder.write(second)
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    recorder = Recorder(folder / "clip.mp4")
    folder.rmdir()
    with pytest.raises(UserError, match=r"cannot write .*clip\.mp4: No such file"):
        recorder.write(grey_frames([20])[0])
