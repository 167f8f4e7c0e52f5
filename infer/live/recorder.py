"""A clip of what is shown, in the time in which it was shown."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

from av.video.reformatter import ColorRange

from nst.infer.engine.frames import Frame
from nst.infer.errors import UserError, os_error_reason
from nst.infer.files import check_writable
from nst.infer.live.resize import resized
from nst.infer.video.colors import BT709, ColorTags
from nst.infer.video.formats import find_encoder
from nst.infer.video.partial import complete, make_partial
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.writer import Picture, VideoWriter

USUAL_RATE = Fraction(30)
TICK = Fraction(1, 90_000)
"""Of the clock of the file, in seconds: finer than any camera's."""

TAGS = ColorTags(BT709, BT709, BT709, int(ColorRange.MPEG))
THREADS = 2
"""With one, the loop would wait for the encoder."""


class Recorder:
    """Writes frames with their own times to a file, which has its name once it is closed.

    Until then, and for good if it cannot be written to its end, it has a name beside that, such
    as ``clip.partial.mp4``. After an error nothing more can be written.

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
        self._target = Path(os.path.realpath(path))
        self._partial = self._target
        self._writer: VideoWriter | None = None
        self._start_s = 0.0
        self._size = (0, 0)
        self._held: TimedFrame | None = None

    def write(self, frame: TimedFrame) -> None:
        """Add a frame; one with the time of the last, or before it, is left out.

        Args:
            frame: one of another size than the first is scaled to that.
        Raises:
            UserError: if it cannot be written; says what is left.
        """
        if self._writer is None:
            self._writer, self._start_s = self._begin(frame.pixels), frame.time_s
        frame = frame._replace(
            pixels=resized(frame.pixels, self._size), time_s=frame.time_s - self._start_s
        )
        if self._held is not None:
            # How long a frame is shown is known when the next one comes.
            duration_s = frame.time_s - self._held.time_s
            if duration_s <= 0:
                return
            with self._left_if_it_fails(self._writer):
                self._writer.write(self._held._replace(duration_s=duration_s))
        self._held = frame
        self.frames += 1

    def close(self) -> None:
        """Finish the file. May be called more than once.

        Raises:
            UserError: if it cannot be written; says what is left.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return
        with self._left_if_it_fails(writer):
            if self._held is not None:
                writer.write(self._held._replace(duration_s=float(1 / USUAL_RATE)))
            writer.close()
            complete(self._partial, self._target)

    def _begin(self, pixels: Frame) -> VideoWriter:
        height, width = pixels.shape[:2]
        self._size = (width, height)
        self._partial = make_partial(self._target)
        try:
            return VideoWriter(
                self._partial,
                Picture(self._size, TAGS, Fraction(1), USUAL_RATE, TICK),
                self._encoder,
                name=self.path,
                crf=None,
                copied=None,
                shift=Fraction(0),
                threads=THREADS,
            )
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise

    @contextmanager
    def _left_if_it_fails(self, writer: VideoWriter) -> Iterator[None]:
        """Let go of the file if an error of writing it comes, and say where it is.

        Raises:
            UserError: in place of that error.
        """
        try:
            yield
        except (UserError, OSError) as error:
            self._writer = None
            with suppress(UserError):
                writer.close()
            reason = str(error)
            if isinstance(error, OSError):
                reason = f"cannot write {self.path}: {os_error_reason(error)}"
            if not writer.frames:
                self._partial.unlink(missing_ok=True)
                raise UserError(reason) from error
            raise UserError(f"{reason}; what could be recorded is in {self._partial}") from error
