"""The live loop: the newest frame, stylized, to the window and wherever else it goes."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property, partial
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple, Protocol

from PIL import Image

from nst.infer.errors import UserError
from nst.infer.live.capture import Capture
from nst.infer.live.meter import Meter
from nst.infer.live.painter import Painter
from nst.infer.live.recorder import Recorder
from nst.infer.live.view import Action, View, action_of
from nst.infer.pictures.images import write_image
from nst.infer.video.protocol import FrameSink, TimedFrame

WAIT_S = 0.05
"""How long a frame is waited for before keys are looked at again."""

NOTICE_S = 3.0
READINGS_S = 0.25
"""Numbers that change with every frame cannot be read."""


class Screen(FrameSink, Protocol):
    """A sink that somebody looks at, with keys."""

    def key(self) -> str:
        """The key that was pressed since the last call, "" if none was."""

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back to a window."""


class Shown(NamedTuple):
    """The last frame from the camera, and what became of it."""

    frame: TimedFrame
    stylized: TimedFrame


class LiveLoop:
    """Stylizes the newest frame there is, again and again. Nothing queues.

    Args:
        capture: gives frames.
        painter: stylizes them.
        device: its name, for the screen.
        on_saved: is told of each file once it is written.
        screen: where the picture, with readings, is shown; None shows it nowhere.
        view: how it is shown.
        sinks: take every stylized frame, without readings and not mirrored.
        record: a file to record to from the beginning.
        folder: where snapshots and recordings begun by a key go.
        clock: the time in seconds, the one that frames are stamped with.
    Attributes:
        frames: how many were shown.
    """

    def __init__(
        self,
        capture: Capture,
        painter: Painter,
        *,
        device: str,
        on_saved: Callable[[Path], None],
        screen: Screen | None = None,
        view: View | None = None,
        sinks: Sequence[FrameSink] = (),
        record: Path | None = None,
        folder: Path = Path(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capture, self._painter, self._device = capture, painter, device
        self._screen, self._view, self._sinks = screen, view or View(), sinks
        self._folder, self._on_saved, self._clock = folder, on_saved, clock
        self._recorder = Recorder(record) if record is not None else None
        self._meter = Meter()
        self._last: Shown | None = None
        self._errors: list[str] = []
        self._notice = ("", 0.0)
        self._readings: list[str] = []
        self._measured_s = -math.inf
        self.frames = 0

    def run(self) -> None:
        """Go on until the frames end or somebody quits; a recording is finished in any case.

        Raises:
            UserError: if the camera, the style or a sink fails; at the end if a recording did,
                which ends the show only if that goes nowhere else.
        """
        try:
            while self._handle_key() and self._goes_somewhere():
                frame = self._capture.take(WAIT_S)
                if frame is not None:
                    self._process(frame)
                elif self._capture.ended:
                    break
                elif self._last is not None:
                    self._show(self._last)
        except UserError as error:
            self._errors.insert(0, str(error))
        finally:
            self._stop_recording()
            if self._errors:
                raise UserError("; ".join(self._errors))

    def _goes_somewhere(self) -> bool:
        return self._screen is not None or bool(self._sinks) or self._recorder is not None

    def _process(self, frame: TimedFrame) -> None:
        """Take one frame from the camera to where it is shown."""
        start_s = self._clock()
        stylized = frame._replace(pixels=self._painter(frame.pixels))
        self._last = Shown(frame, stylized)
        self._show(self._last)
        shown_s = self._clock()
        self._meter.add(shown_s, shown_s - frame.time_s)
        for sink in self._sinks:
            sink.write(stylized)
        self._record(stylized)
        now_s = self._clock()
        self.frames += 1
        self._painter.observe(now_s - start_s, now_s)

    def _show(self, shown: Shown) -> None:
        if self._screen is None:
            return
        picture = self._view.compose(shown.frame.pixels, shown.stylized.pixels, self._lines())
        self._screen.write(shown.stylized._replace(pixels=picture))

    def _lines(self) -> list[str]:
        """What is shown in the corner: readings that stand still for a while, then news."""
        now_s = self._clock()
        if now_s - self._measured_s >= READINGS_S:
            self._measured_s = now_s
            self._readings = self._measured()
        notice, until_s = self._notice
        news = [self._capture.trouble and f"{self._capture.trouble} trying again"]
        news += [self._painter.state, notice if now_s < until_s else ""]
        news += ["recording" if self._recorder is not None else ""]
        return self._readings + [line for line in news if line]

    def _measured(self) -> list[str]:
        painter, meter = self._painter, self._meter
        lines = [
            f"{painter.style}  {painter.strength:.0%}",
            f"{meter.frames_per_s:.1f} frames/s  {1000 * meter.latency_s:.0f} ms  {self._device}",
            f"{self._capture.dropped} dropped",
        ]
        if self._last is not None and painter.size is not None:
            height, width = self._last.frame.pixels.shape[:2]
            if painter.size != (width, height):
                lines.append(f"at {painter.size[0]}x{painter.size[1]} of {width}x{height}")
        return lines

    def _handle_key(self) -> bool:
        """Do what the key says that was pressed; False if that is to quit."""
        action = action_of(self._screen.key()) if self._screen is not None else None
        if action is None:
            return True
        if action is Action.QUIT:
            return False
        try:
            self._handlers[action]()
        except UserError as error:  # a file that cannot be written does not end the show
            self._notify(str(error))
        self._measured_s = -math.inf  # what was changed is read at once
        return True

    @cached_property
    def _handlers(self) -> dict[Action, Callable[[], None]]:
        assert self._screen is not None
        return {
            Action.NEXT_STYLE: partial(self._painter.change_style, 1),
            Action.PREVIOUS_STYLE: partial(self._painter.change_style, -1),
            Action.STRONGER: partial(self._painter.change_strength, 1),
            Action.WEAKER: partial(self._painter.change_strength, -1),
            Action.ORIGINAL: partial(self._view.toggle, "original"),
            Action.MIRROR: partial(self._view.toggle, "mirror"),
            Action.KEYS: partial(self._view.toggle, "keys"),
            Action.SNAPSHOT: self._save_snapshot,
            Action.RECORD: self._toggle_recording,
            Action.FULL_SCREEN: self._screen.toggle_full_screen,
        }

    def _save_snapshot(self) -> None:
        if self._last is None:
            return
        path = free_name(self._folder, self._painter.style, ".png")
        write_image(Image.fromarray(self._last.stylized.pixels), path)
        self._saved(path)

    def _toggle_recording(self) -> None:
        if self._recorder is None:
            self._recorder = Recorder(free_name(self._folder, self._painter.style, ".mp4"))
        else:
            self._stop_recording()

    def _record(self, frame: TimedFrame) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.write(frame)
        except UserError as error:
            self._recorder = None
            self._lose(error)

    def _stop_recording(self) -> None:
        if self._recorder is None:
            return
        recorder, self._recorder = self._recorder, None
        try:
            recorder.close()
        except UserError as error:
            self._lose(error)
            return
        if recorder.frames:
            self._saved(recorder.path)

    def _lose(self, error: UserError) -> None:
        """Tell of a recording that failed, now and when the show is over: a notice goes by."""
        self._errors.append(str(error))
        self._notify(str(error))

    def _saved(self, path: Path) -> None:
        self._notify(f"saved {path.name}")
        self._on_saved(path)

    def _notify(self, notice: str) -> None:
        """Show a line for a while."""
        self._notice = (notice, self._clock() + NOTICE_S)


def free_name(folder: Path, style: str, suffix: str) -> Path:
    """A name made of a style and the time that no file has yet."""
    stem = f"{style}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    names = (f"{stem}{number}{suffix}" for number in chain([""], map("-{}".format, count(2))))
    return next(path for name in names if not (path := folder / name).exists())
