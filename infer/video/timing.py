"""Times of frames: read from flags, and put on the grid of another frame rate."""

import math
import re
from collections.abc import Iterator
from fractions import Fraction

from nst.infer.errors import UserError
from nst.infer.video.protocol import FrameSource, TimedFrame

HIGHEST_RATE = 1000
ROUNDING = 1e-6
"""Of times in floats, in moments of a grid."""


def read_time(flag: str, text: str | None) -> Fraction | None:
    """Seconds in ``90``, ``1:30`` or ``0:01:30.5``; None stays None.

    Raises:
        UserError: if it is anything else.
    """
    if text is None:
        return None
    if not re.fullmatch(r"(\d+:){0,2}(\d+|\d*\.\d+)", text, re.ASCII):
        raise UserError(f"{flag} takes seconds or h:m:s, such as 90 or 0:01:30, not {text!r}")
    seconds = Fraction(0)
    for part in text.split(":"):
        seconds = 60 * seconds + Fraction(part)
    return seconds


def read_span(start: str | None, end: str | None) -> tuple[Fraction | None, Fraction | None]:
    """What ``--start`` and ``--end`` mean, in seconds.

    Raises:
        UserError: if one is no time, or there is nothing between them.
    """
    start_s, end_s = read_time("--start", start), read_time("--end", end)
    if end_s is not None and end_s <= (start_s or 0):
        raise UserError(f"--end {end} is not after --start {start or 0}")
    return start_s, end_s


def read_rate(text: str | None) -> Fraction | None:
    """Frames per second in ``25``, ``23.976`` or ``30000/1001``; None stays None.

    Raises:
        UserError: if it is anything else.
    """
    if text is None:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= HIGHEST_RATE:
        raise UserError(f"--fps takes frames per second such as 25 or 30000/1001, not {text!r}")
    return rate.limit_denominator(1001)


class OnGrid:
    """A source at a constant frame rate, of the frames of another one.

    Each moment of the grid shows what the other one shows then. Frames that are shown at no moment
    are left out; one that is shown at several is given once, with its whole duration.

    Args:
        source: gives the frames, with their durations.
        rate: frames per second.
    """

    def __init__(self, source: FrameSource, rate: Fraction) -> None:
        self._source, self._rate = source, rate

    def read(self) -> TimedFrame | None:
        """The next frame, at a moment of the grid; None at the end.

        Raises:
            UserError: as the source does.
        """
        while (frame := self._source.read()) is not None:
            first = self._first_from(frame.time_s)
            count = self._first_from(frame.time_s + frame.duration_s) - first
            if count:
                rate = float(self._rate)
                return TimedFrame(frame.pixels, first / rate, count / rate)
        return None

    def _first_from(self, time_s: float) -> int:
        """The number of the first moment of the grid that is not before a time."""
        return math.ceil(time_s * self._rate - ROUNDING)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def repeated(frame: TimedFrame, rate: Fraction | None) -> Iterator[TimedFrame]:
    """A frame for every moment of a grid at which it is shown.

    Args:
        frame: of ``OnGrid``.
        rate: of the grid; None gives the frame as it is.
    """
    if rate is None:
        yield frame
        return
    first, count = round(frame.time_s * rate), round(frame.duration_s * rate)
    for tick in range(first, first + count):
        yield TimedFrame(frame.pixels, tick / float(rate), 1 / float(rate))
