"""What gives frames and what takes them: files, cameras, windows."""

from typing import NamedTuple, Protocol

from nst.infer.engine.frames import Frame


class TimedFrame(NamedTuple):
    """A frame and when it is shown.

    Attributes:
        pixels: (H, W, 3), uint8, RGB.
        time_s: of files on their own clock, which need not begin at 0, of cameras on that of
            ``time.monotonic()``, in seconds. A float tells the ticks of every usual time base
            apart for years.
        duration_s: for how long it is shown; 0.0 is until the next one.
    """

    pixels: Frame
    time_s: float
    duration_s: float = 0.0


class FrameSource(Protocol):
    """Gives frames in the order of their times."""

    def read(self) -> TimedFrame | None:
        """The next frame; None at the end.

        Raises:
            UserError: if there is no next frame although it is not the end.
        """

    def close(self) -> None:
        """Let go of files and devices. May be called more than once."""


class FrameSink(Protocol):
    """Takes frames in the order of their times."""

    def write(self, frame: TimedFrame) -> None:
        """Take one frame.

        Raises:
            UserError: if it cannot be shown or written.
        """

    def close(self) -> None:
        """Finish what was taken, and let go of files and devices. May be called more than once."""
