from pathlib import Path

import pytest
from live_parts import SIZE, AddStyle, Script, Shelf, Sink, Stage, grey_frames, levels

from nst.infer import UserError
from nst.infer.live.capture import Capture
from nst.infer.live.loop import LiveLoop
from nst.infer.live.painter import Painter
from nst.infer.live.view import View
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.writer import VideoWriter

FULL = "No space left on device"


def test_recording_is_begun_and_ended_by_a_key(tmp_path: Path) -> None:
    keys = ["", "r", "", "r", "", "r", "q"]
    steps = grey_frames([10, 20, 30, 40, 50, 60, 70, 80], SIZE)
    stage = Stage(tmp_path, steps, keys, view=View(mirror=True)).run()
    first, second = stage.saved
    assert first != second
    assert levels(first) == pytest.approx([80, 90], abs=3)
    assert levels(second) == pytest.approx([120], abs=3)
    assert sorted(tmp_path.iterdir()) == sorted(stage.saved)


def test_the_key_ends_a_recording_from_the_beginning(tmp_path: Path) -> None:
    record = tmp_path / "clip.mp4"
    stage = Stage(tmp_path, grey_frames([10, 20, 30]), ["", "r"], record=record).run()
    assert stage.saved == [record]
    assert len(levels(record)) == 2


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file takes two frames."""
    write = VideoWriter.write

    def write_or_fail(writer: VideoWriter, frame: TimedFrame) -> None:
        if writer.frames == 2:
            raise UserError(f"cannot write the clip: {FULL}")
        write(writer, frame)

    monkeypatch.setattr(VideoWriter, "write", write_or_fail)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_ends_the_recording_but_not_the_show(tmp_path: Path) -> None:
    sink = Sink()
    stage = Stage(
        tmp_path, grey_frames(range(10, 80, 10)), record=tmp_path / "clip.mp4", sinks=[sink]
    )
    with pytest.raises(UserError, match=rf"{FULL}; .* is in .*clip\.partial\.mp4$"):
        stage.run()
    assert stage.loop.frames == len(sink.taken) == 7
    assert FULL in stage.loop._notice[0]
    assert stage.saved == []
    (partial,) = tmp_path.iterdir()
    assert levels(partial) == pytest.approx([60, 70], abs=3)


@pytest.mark.usefixtures("full_disk")
def test_a_recording_that_cannot_be_finished_does_not_end_the_show(tmp_path: Path) -> None:
    keys = ["", "r", "", "", "r", "", ""]
    stage = Stage(tmp_path, grey_frames(range(10, 80, 10)), keys)
    with pytest.raises(UserError, match=FULL):
        stage.run()
    assert stage.loop.frames == 7
    assert stage.saved == []


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_and_a_camera_that_dies_are_both_told(tmp_path: Path) -> None:
    steps: list[TimedFrame | BaseException] = [*grey_frames([10] * 5), UserError("unplugged")]
    stage = Stage(tmp_path, steps, record=tmp_path / "clip.mp4")
    with pytest.raises(UserError, match=f"^unplugged; .*{FULL}"):
        stage.run()


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_ends_a_show_that_goes_nowhere_else(tmp_path: Path) -> None:
    source = Script(grey_frames([10] * 100))

    class OneByOne(Capture):
        """Gives every frame, with no screen to wait for."""

        def take(self, timeout_s: float) -> TimedFrame | None:
            return source.read()

    painter = Painter(Shelf(AddStyle(50)).bank())
    capture = OneByOne(Script([]))
    loop = LiveLoop(capture, painter, device="cpu", on_saved=print, record=tmp_path / "clip.mp4")
    with pytest.raises(UserError, match=FULL):
        loop.run()
    painter.close()
    capture.close()
    assert source.reads == 4  # each frame is written when the next one comes
    assert levels(tmp_path / "clip.partial.mp4") == pytest.approx([60, 60], abs=3)
