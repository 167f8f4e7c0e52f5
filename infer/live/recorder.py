"""A clip of what is shown, in the time in which it was shown."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
from av.video.reformatter import ColorRange

from nst.infer.engine.frames import Frame
from nst.infer.files import atomic_write, check_writable
from nst.infer.video.colors import BT709, ColorTags
from nst.infer.video.formats import find_encoder
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.writer import Picture, VideoWriter

USUAL_RATE = Fraction(30)
TICK = Fraction(1, 90_000)
"""Of the clock of the file, in seconds: finer than any camera's."""

TAGS = ColorTags(BT709, BT709, BT709, int(ColorRange.MPEG))
THREADS = 2
"""With one, the loop would wait for the encoder."""


class Recorder:
    """Writes frames with their own times to a file, which is there once it is closed.

    Args:
        path: its suffix says what it becomes.
    Attributes:
        frames: how many were taken.
    Raises:
        UserError: if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frames = 0
        self._encoder = find_encoder(None, path)
        check_writable(path)
        self._file = ExitStack()
        self._writer: VideoWriter | None = None
        self._start_s = 0.0
        self._size = (0, 0)
        self._held: TimedFrame | None = None

    def write(self, frame: TimedFrame) -> None:
        """Add a frame; one with the time of the last, or before it, is left out.

        Args:
            frame: one of another size than the first is scaled to that.
        Raises:
            UserError: if it cannot be written.
        """
        if self._writer is None:
            self._writer, self._start_s = self._begin(frame.pixels), frame.time_s
        frame = frame._replace(
            pixels=_scaled(frame.pixels, self._size), time_s=frame.time_s - self._start_s
        )
        if self._held is not None:
            # How long a frame is shown is known when the next one comes.
            duration_s = frame.time_s - self._held.time_s
            if duration_s <= 0:
                return
            self._writer.write(self._held._replace(duration_s=duration_s))
        self._held = frame
        self.frames += 1

    def close(self) -> None:
        """Finish the file. May be called more than once.

        Raises:
            UserError: if it cannot be written.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with self._file:
            try:
                if self._held is not None:
                    writer.write(self._held._replace(duration_s=float(1 / USUAL_RATE)))
            finally:
                writer.close()

    def _begin(self, pixels: Frame) -> VideoWriter:
        height, width = pixels.shape[:2]
        self._size = (width, height)
        return VideoWriter(
            self._file.enter_context(atomic_write(self.path)),
            Picture(self._size, TAGS, Fraction(1), USUAL_RATE, TICK),
            self._encoder,
            name=self.path,
            crf=None,
            copied=None,
            shift=Fraction(0),
            threads=THREADS,
        )


def _scaled(frame: Frame, size: tuple[int, int]) -> Frame:
    if frame.shape[1::-1] == size:
        return frame
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
