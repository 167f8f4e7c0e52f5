"""Cameras, screens and styles for the live loop that need no hardware."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from synthetic import natural_frames

from nst.infer.engine.frames import Frame
from nst.infer.live.capture import Capture
from nst.infer.live.loop import LiveLoop
from nst.infer.live.painter import Painter
from nst.infer.live.style_bank import StyleBank
from nst.infer.live.view import View
from nst.infer.styles import NamedStyle
from nst.infer.stylizer import Stylizer
from nst.infer.video.protocol import TimedFrame

SIZE = (640, 480)
"""Of the frames of most tests."""

PATIENCE_S = 10.0
"""After which a test that waits for another thread fails."""


class MovingPicture:
    """A clip of a picture that moves sideways.

    Args:
        size: width and height.
        fps: frames per second.
        frames: how many there are; None goes on for ever.
    """

    def __init__(self, size: tuple[int, int], fps: float, frames: int | None = None) -> None:
        width, height = size
        (wide,) = natural_frames((1, height, width + 64))
        self._pictures = [np.ascontiguousarray(wide[:, at : at + width]) for at in range(0, 64, 4)]
        self._fps, self._frames = fps, frames
        self._number = 0
        self.closed = False

    def read(self) -> TimedFrame | None:
        if self.closed or self._number == self._frames:
            return None
        number, self._number = self._number, self._number + 1
        return TimedFrame(self._pictures[number % len(self._pictures)], number / self._fps)

    def close(self) -> None:
        self.closed = True


class Script:
    """A source that gives what it was told, each as soon as it may.

    Args:
        steps: frames, and errors to raise; it ends after them.
        gate: is taken once before each step, None is always open.
    """

    def __init__(
        self,
        steps: Iterable[TimedFrame | BaseException],
        gate: threading.Semaphore | None = None,
    ) -> None:
        self._steps: Iterator[TimedFrame | BaseException] = iter(steps)
        self._gate = gate
        self.reads = 0
        self.closed = False

    def read(self) -> TimedFrame | None:
        self.reads += 1
        if self._gate is not None:
            assert self._gate.acquire(timeout=PATIENCE_S)
        step = next(self._steps, None)
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        self.closed = True


class KeyScreen:
    """A screen on which somebody presses a key after each frame.

    Args:
        keys: in order, "" for none. The last one is followed by none.
        gate: is opened once for each frame that was shown, so that the next can come.
    Attributes:
        seen: the frames that were shown, each once.
    """

    def __init__(self, keys: Sequence[str] = (), gate: threading.Semaphore | None = None) -> None:
        self._keys, self._gate = iter(keys), gate
        self._pressable = False
        self.seen: list[TimedFrame] = []
        self.full_screen = self.closed = False

    def write(self, frame: TimedFrame) -> None:
        if self.seen and frame.time_s == self.seen[-1].time_s:
            return  # the last one is shown again while the next is waited for
        self.seen.append(frame)
        self._pressable = True

    def key(self) -> str:
        if not self._pressable:
            return ""
        self._pressable = False
        if self._gate is not None:
            self._gate.release()
        return next(self._keys, "")

    def toggle_full_screen(self) -> None:
        self.full_screen = not self.full_screen

    def close(self) -> None:
        self.closed = True


class Sink:
    """Keeps what it takes.

    Args:
        gate: is opened once for each frame.
        error: is raised by ``write``.
        after: how many frames it takes before that.
    """

    def __init__(
        self,
        gate: threading.Semaphore | None = None,
        *,
        error: BaseException | None = None,
        after: int = 0,
    ) -> None:
        self._gate, self._error, self._after = gate, error, after
        self.taken: list[TimedFrame] = []
        self.closed = False

    def write(self, frame: TimedFrame) -> None:
        if self._error is not None and len(self.taken) == self._after:
            raise self._error
        self.taken.append(frame)
        if self._gate is not None:
            self._gate.release()

    def close(self) -> None:
        self.closed = True


def grey_frames(levels: Iterable[int], size: tuple[int, int] = (64, 48)) -> list[TimedFrame]:
    """Frames of one grey each, a tenth of a second apart."""
    return [
        TimedFrame(np.full((size[1], size[0], 3), level, np.uint8), number / 10)
        for number, level in enumerate(levels)
    ]


def repeated(frame: TimedFrame, times: int) -> list[TimedFrame]:
    """A frame several times, a tenth of a second apart."""
    return [frame._replace(time_s=number / 10) for number in range(times)]


class AddStyle:
    """A style that makes frames brighter, in place of a ``Stylizer``.

    Args:
        amount: what is added to each pixel at full strength.
        gate: every run waits until it is open; None is open.
    Attributes:
        runs: shape and strength of every run.
    """

    def __init__(self, amount: int, gate: threading.Event | None = None) -> None:
        self.amount, self._gate = amount, gate
        self.fixed_size: tuple[int | None, int | None] = (None, None)
        self.error: BaseException | None = None
        self.runs: list[tuple[tuple[int, ...], float]] = []

    def __call__(self, frame: Frame, *, strength: float = 1.0) -> Frame:
        if self._gate is not None:
            assert self._gate.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        self.runs.append((frame.shape, strength))
        return (frame + np.uint8(strength * self.amount)).astype(np.uint8)


class Shelf:
    """Opens styles by the number that is their name.

    Args:
        styles: what is opened; an error is raised.
    Attributes:
        opened: names in the order in which they were.
    """

    def __init__(self, *styles: AddStyle | BaseException) -> None:
        self._styles = styles
        self.opened: list[str] = []

    @property
    def names(self) -> list[NamedStyle]:
        numbers = range(len(self._styles))
        return [NamedStyle(f"style_{each}", Path(f"{each}.onnx"), own=True) for each in numbers]

    def open(self, path: Path) -> Stylizer:
        self.opened.append(path.stem)
        style = self._styles[int(path.stem)]
        if isinstance(style, BaseException):
            raise style
        return style  # type: ignore[return-value]

    def bank(self) -> StyleBank:
        return StyleBank(self.names, self.open)


class Stage:
    """A loop whose camera gives the next frame once the last was shown, and all around it.

    Args:
        folder: where files go.
        steps: frames, and errors of the camera.
        keys: one after each frame.
        view: of the window.
        styles: which there are.
    """

    def __init__(
        self,
        folder: Path,
        steps: Iterable[TimedFrame | BaseException],
        keys: Sequence[str] = (),
        *,
        view: View | None = None,
        styles: Sequence[AddStyle] = (AddStyle(50),),
        record: Path | None = None,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self.gate = gate = threading.Semaphore(1)
        self.saved: list[Path] = []
        self.screen = KeyScreen(keys, gate)
        self.source = Script(steps, gate)
        self.painter = Painter(Shelf(*styles).bank())
        self.capture = Capture(self.source)
        self.loop = LiveLoop(
            self.capture,
            self.painter,
            device="cpu",
            on_saved=self.saved.append,
            screen=self.screen,
            view=view or View(keys=False),
            sinks=sinks,
            record=record,
            folder=folder,
        )

    def run(self) -> "Stage":
        try:
            self.loop.run()
        finally:
            self.painter.close()
            self.gate.release()  # or the thread would wait there
            self.capture.close()
        return self


def read_clip(path: Path) -> list[tuple[float, Any]]:
    """Times and pictures of the frames of a clip."""
    with av.open(str(path)) as container:
        return [
            (frame.time or 0.0, frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def levels(path: Path) -> list[int]:
    """Greys of the frames of a clip."""
    pictures = [picture for _, picture in read_clip(path)]
    assert all(picture.std() < 3 for picture in pictures)  # nothing is drawn on them
    return [int(np.median(picture)) for picture in pictures]
