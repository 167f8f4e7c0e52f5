import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from live_parts import (
    SIZE,
    AddStyle,
    KeyScreen,
    Script,
    Shelf,
    Sink,
    Stage,
    grey_frames,
    levels,
    repeated,
)
from PIL import Image

from nst.infer import UserError
from nst.infer.engine.frames import Frame
from nst.infer.live.capture import Capture
from nst.infer.live.loop import LiveLoop, free_name
from nst.infer.live.painter import Painter
from nst.infer.live.view import View
from nst.infer.video.protocol import TimedFrame


def test_every_frame_is_shown_stylized_until_the_camera_ends(tmp_path: Path) -> None:
    sink = Sink()
    stage = Stage(tmp_path, grey_frames([10, 20, 30], SIZE), sinks=[sink]).run()
    assert stage.loop.frames == 3
    assert [int(frame.pixels[-1, -1, 0]) for frame in stage.screen.seen] == [60, 70, 80]
    assert [frame.time_s for frame in sink.taken] == [0.0, 0.1, 0.2]
    assert all((frame.pixels == 60 + 10 * n).all() for n, frame in enumerate(sink.taken))
    assert (stage.screen.seen[0].pixels[:20, :20] != 60).any()  # readings
    assert stage.saved == []
    assert list(tmp_path.iterdir()) == []


def test_quitting(tmp_path: Path) -> None:
    stage = Stage(tmp_path, grey_frames(range(50)), ["", "q"]).run()
    assert stage.loop.frames == 2


def test_a_camera_that_dies(tmp_path: Path) -> None:
    record = tmp_path / "clip.mp4"
    steps: list[TimedFrame | BaseException] = [*grey_frames([10, 20]), UserError("unplugged")]
    stage = Stage(tmp_path, steps, record=record)
    with pytest.raises(UserError, match="unplugged"):
        stage.run()
    assert levels(record) == pytest.approx([60, 70], abs=3)
    assert stage.saved == [record]
    assert stage.source.closed


@pytest.mark.parametrize(
    "error", [UserError("disk full"), KeyboardInterrupt(), ZeroDivisionError()]
)
def test_a_sink_that_fails_and_an_interrupt(tmp_path: Path, error: BaseException) -> None:
    record = tmp_path / "clip.mp4"
    sink = Sink(error=error, after=2)
    stage = Stage(tmp_path, grey_frames([10, 20, 30, 40]), record=record, sinks=[sink])
    with pytest.raises(type(error)):
        stage.run()
    assert stage.source.closed
    assert levels(record) == pytest.approx([60, 70], abs=3)
    assert stage.saved == [record]


def test_a_style_that_fails(tmp_path: Path) -> None:
    style = AddStyle(50)

    class Breaking(Sink):
        def write(self, frame: TimedFrame) -> None:
            style.error = UserError("out of memory")

    record = tmp_path / "clip.mp4"
    steps = grey_frames([10, 20])
    stage = Stage(tmp_path, steps, styles=[style], record=record, sinks=[Breaking()])
    with pytest.raises(UserError, match="out of memory"):
        stage.run()
    assert levels(record) == pytest.approx([60], abs=3)
    assert stage.source.closed


def test_keys_change_what_is_shown(tmp_path: Path) -> None:
    keys = ["o", "m", "f", "h", "y", "o"]
    frame = grey_frames([10], SIZE)[0]
    frame.pixels[:, :320] = 90  # the left half
    view = View(keys=False)
    stage = Stage(tmp_path, repeated(frame, 7), keys, view=view).run()
    pictures = [seen.pixels for seen in stage.screen.seen]
    plain, beside, mirrored = pictures[:3]
    assert plain.shape == (480, 640, 3)
    assert plain[240, [0, -1], 0].tolist() == [140, 60]
    assert beside[240, [0, 639, 640, -1], 0].tolist() == [90, 10, 140, 60]
    assert mirrored[240, [0, 639, 640, -1], 0].tolist() == [10, 90, 60, 140]
    assert stage.screen.full_screen
    assert (pictures[3][-30:, :60] == pictures[2][-30:, :60]).all()
    assert (pictures[4][-30:, :60] != pictures[2][-30:, :60]).any()  # the keys are listed
    assert (pictures[5] == pictures[4])[-30:].all()  # "y" does nothing
    assert pictures[6].shape == (480, 640, 3)


def test_keys_change_style_and_strength(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path, grey_frames([10] * 6), ["n", "-", "-", "+", "p"], styles=[AddStyle(1)] * 3
    )
    calls: list[tuple[str, int]] = []
    stage.painter.change_style = lambda step: calls.append(("style", step))  # type: ignore[method-assign]
    stage.painter.change_strength = lambda step: calls.append(("strength", step))  # type: ignore[method-assign]
    stage.run()
    steps = [("style", 1), ("strength", -1), ("strength", -1), ("strength", 1), ("style", -1)]
    assert calls == steps


def test_snapshots_are_bare_and_never_written_over(tmp_path: Path) -> None:
    view = View(mirror=True, original=True)
    frame = grey_frames([10], SIZE)[0]
    frame.pixels[:, :320] = 90
    stage = Stage(tmp_path, repeated(frame, 4), ["s", "s", "s"], view=view).run()
    assert len(set(stage.saved)) == 3
    assert sorted(tmp_path.iterdir()) == sorted(stage.saved)
    for path in stage.saved:
        with Image.open(path) as image:
            assert (np.asarray(image) == frame.pixels + 50).all()


def test_a_name_that_is_free(tmp_path: Path) -> None:
    names = []
    for _ in range(5):
        names.append(free_name(tmp_path, "starry_night", ".png"))
        names[-1].touch()
    assert len(set(names)) == 5
    for name in names:
        assert name.parent == tmp_path
        assert name.name.startswith("starry_night-20")
        assert name.suffix == ".png"


def test_a_snapshot_that_cannot_be_written_does_not_end_the_show(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "nowhere", grey_frames([10] * 4), ["s", "r", ""]).run()
    assert stage.loop.frames == 4
    assert stage.saved == []
    assert "does not exist" in stage.loop._notice[0]


def test_what_the_corner_says(tmp_path: Path) -> None:
    lines: list[list[str]] = []

    class Noting(View):
        def compose(self, frame: Frame, stylized: Frame, readings: Sequence[str]) -> Frame:
            lines.append(list(readings))
            return super().compose(frame, stylized, readings)

    Stage(tmp_path, grey_frames([10, 20], SIZE), ["r"], view=Noting()).run()
    style, speed, drops = lines[0]
    assert style == "style_0  100%"
    assert speed.endswith(" ms  cpu")
    assert "frames/s" in speed
    assert drops == "0 dropped"
    assert lines[1][-1] == "recording"


def test_a_smaller_working_size_is_told(tmp_path: Path) -> None:
    style = AddStyle(1)
    style.fixed_size = (128, 96)
    stage = Stage(tmp_path, grey_frames([10, 20], SIZE), ["h"], styles=[style])
    stage.run()
    assert stage.loop._measured()[-1] == "at 128x96 of 640x480"


def test_trouble_is_shown_while_the_camera_is_away(tmp_path: Path) -> None:
    away = threading.Event()

    def reopen() -> Script:
        if not away.wait(0.01):
            raise UserError("not there")
        return Script([grey_frames([30], SIZE)[0]._replace(time_s=9.0)])

    screen, painter = KeyScreen(), Painter(Shelf(AddStyle(50)).bank())
    source = Script([*grey_frames([10], SIZE), UserError("camera 0 gives no more frames.")])
    capture = Capture(source, reopen=reopen, retry_s=0.01)
    told: list[str] = []

    class Watching(View):
        def compose(self, frame: Frame, stylized: Frame, readings: Sequence[str]) -> Frame:
            told.extend(line for line in readings if "trying again" in line)
            if told:
                away.set()
            return super().compose(frame, stylized, readings)

    loop = LiveLoop(capture, painter, device="cpu", on_saved=print, screen=screen, view=Watching())
    loop.run()
    painter.close()
    assert told[0] == "camera 0 gives no more frames. trying again"
    assert int(screen.seen[-1].pixels[-1, -1, 0]) == 80
    assert loop.frames == 2


def test_frames_per_second_and_age(tmp_path: Path) -> None:
    now_s = 100.0

    def clock() -> float:
        return now_s

    class SlowScreen(KeyScreen):
        def write(self, frame: TimedFrame) -> None:
            nonlocal now_s
            now_s = frame.time_s + 0.04
            super().write(frame)

    gate = threading.Semaphore(1)
    screen = SlowScreen(gate=gate)
    frames = [frame._replace(time_s=100 + frame.time_s) for frame in grey_frames(range(12))]
    painter = Painter(Shelf(AddStyle(1)).bank())
    loop = LiveLoop(
        Capture(Script(frames, gate)),
        painter,
        device="cpu",
        on_saved=print,
        screen=screen,
        clock=clock,
    )
    loop.run()
    painter.close()
    assert loop._meter.frames_per_s == pytest.approx(10)
    assert loop._meter.latency_s == pytest.approx(0.04)
