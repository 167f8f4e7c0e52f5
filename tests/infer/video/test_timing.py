from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from nst.infer.errors import UserError
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.timing import OnGrid, read_rate, read_span, read_time, repeated

PIXELS = np.zeros((1, 1, 3), np.uint8)


class Listed:
    """Gives frames of a list."""

    def __init__(self, frames: Sequence[tuple[float, float]]) -> None:
        self._frames = iter([TimedFrame(PIXELS, *each) for each in frames])
        self.is_closed = False

    def read(self) -> TimedFrame | None:
        return next(self._frames, None)

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1:30", 90), ("1:00:00.5", 3600.5), (".25", 0.25), ("0", 0), (None, None)],
)
def test_times(text: str | None, seconds: float | None) -> None:
    assert read_time("--start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:", ":1", "1:2:3:4", "1s", "1e3", "nan", "1,5"])
def test_no_times(text: str) -> None:
    with pytest.raises(UserError, match="--start takes seconds or h:m:s"):
        read_time("--start", text)


def test_spans() -> None:
    assert read_span(None, None) == (None, None)
    assert read_span("1", "1:00") == (Fraction(1), Fraction(60))
    for start, end in (("2", "1"), ("1", "1"), (None, "0")):
        with pytest.raises(UserError, match=f"--end {end} is not after --start {start or 0}"):
            read_span(start, end)


def test_rates() -> None:
    assert read_rate("25") == 25
    assert read_rate("30000/1001") == Fraction(30000, 1001)
    assert read_rate("12.5") == Fraction(25, 2)
    assert read_rate(None) is None
    for text in ("0", "-5", "fast", "1/0", "5000", "nan", "inf"):
        with pytest.raises(UserError, match="--fps takes frames per second"):
            read_rate(text)


def grid(frames: Sequence[tuple[float, float]], rate: int) -> list[tuple[float, float]]:
    source = OnGrid(Listed(frames), Fraction(rate))
    found = []
    while (frame := source.read()) is not None:
        found.append((frame.time_s, frame.duration_s))
    return found


def test_fewer_frames() -> None:
    frames = [(number / 50, 1 / 50) for number in range(10)]
    assert grid(frames, 25) == [(number / 25, 1 / 25) for number in range(5)]


def test_more_frames_are_given_once() -> None:
    frames = [(0.0, 0.5), (0.5, 0.25), (0.75, 1.25)]
    assert grid(frames, 4) == [(0, 0.5), (0.5, 0.25), (0.75, 1.25)]
    moments = [
        each.time_s
        for time_s, duration_s in frames
        for each in repeated(TimedFrame(PIXELS, time_s, duration_s), Fraction(4))
    ]
    assert moments == [number / 4 for number in range(8)]


def test_a_moment_shows_what_is_shown_then() -> None:
    assert grid([(0.0, 0.3), (0.3, 0.1), (0.4, 0.2), (0.6, 0.4)], 4) == [
        (0, 0.5),
        (0.5, 0.25),
        (0.75, 0.25),
    ]


def test_without_a_grid_frames_stay() -> None:
    frame = TimedFrame(PIXELS, 0.123, 0.456)
    assert list(repeated(frame, None)) == [frame]


def test_the_source_is_closed() -> None:
    source = Listed([])
    OnGrid(source, Fraction(25)).close()
    assert source.is_closed
