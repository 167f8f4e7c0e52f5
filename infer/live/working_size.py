"""The size at which frames are stylized, so that each is done in time."""

import math
import statistics
from collections import deque

SCALES = (1.0, 7 / 8, 3 / 4, 5 / 8, 1 / 2, 3 / 8, 1 / 4)
"""Of the sides. The first is the size of the frames themselves."""

MULTIPLE_PX = 16
SMALLEST_PX = 64

WINDOW_S = 1.0
"""Frames of this long are judged together, by their median."""

FEWEST_FRAMES = 3
LEAST_S = 0.3
"""So many frames over so long are needed before the first judgement of a size."""

FITS_DOWN = 0.9
"""A smaller size is expected to take at most this share of the time there is."""

FITS_UP = 0.8
"""A larger size too. Frames may come to take a quarter longer before it is left again."""

UP_AFTER_S = 2.0
"""For how long a larger size has to look as if it would fit."""

UP_AFTER_MOST_S = 60.0
SOON_S = 5.0
"""A larger size that is left again so soon did not fit: the next try waits twice as long."""

Size = tuple[int, int]


def ladder(size: Size) -> list[Size]:
    """The sizes to choose from, largest first.

    Args:
        size: width and height of the frames; the first of the sizes.
    Returns:
        Widths and heights; those after the first are multiples of 16 px, and at least 64 px.
    """
    steps = [size]
    for scale in SCALES[1:]:
        smaller = _rounded(scale * size[0]), _rounded(scale * size[1])
        if math.prod(smaller) < math.prod(steps[-1]):
            steps.append(smaller)
    return steps


def _rounded(side: float) -> int:
    return max(SMALLEST_PX, round(side / MULTIPLE_PX) * MULTIPLE_PX)


class WorkingSize:
    """Steps down when frames take too long, and up again when a larger size has long fitted.

    Args:
        fps: frames per second to hold.
        size: width and height of the frames.
    """

    def __init__(self, fps: float, size: Size) -> None:
        self._budget_s = 1 / fps
        self._steps = ladder(size)
        self._step = 0
        self._frames: deque[tuple[float, float]] = deque()
        self._fits_since_s: float | None = None
        self._tried_since_s: float | None = None
        # How long each step has to look as if it would fit before it is tried.
        self._waits_s = [UP_AFTER_S] * len(self._steps)

    @property
    def size(self) -> Size:
        """Width and height to work at."""
        return self._steps[self._step]

    def observe(self, busy_s: float, now_s: float) -> None:
        """Judge by one more frame.

        Args:
            busy_s: what a frame took at ``size``, without waiting for it, in seconds.
            now_s: the time, in seconds on a clock of any beginning.
        """
        self._frames.append((now_s, busy_s))
        while now_s - self._frames[0][0] > WINDOW_S and len(self._frames) > FEWEST_FRAMES:
            self._frames.popleft()
        if len(self._frames) < FEWEST_FRAMES or now_s - self._frames[0][0] < LEAST_S:
            return
        usual_s = statistics.median(busy for _, busy in self._frames)
        if usual_s > self._budget_s:
            self._go_down(usual_s)
        else:
            self._perhaps_go_up(usual_s, now_s)

    def refuse(self) -> None:
        """Leave a size at which nothing runs; the next try waits twice as long."""
        self._wait_longer()
        self._go_to(min(self._step + 1, len(self._steps) - 1))

    def _wait_longer(self) -> None:
        self._waits_s[self._step] = min(2 * self._waits_s[self._step], UP_AFTER_MOST_S)
        self._fits_since_s = self._tried_since_s = None

    def _go_down(self, usual_s: float) -> None:
        self._fits_since_s = None
        if self._tried_since_s is not None:
            self._wait_longer()
        fitting = (
            step
            for step in range(self._step + 1, len(self._steps))
            if self._expected_s(step, usual_s) <= FITS_DOWN * self._budget_s
        )
        self._go_to(next(fitting, len(self._steps) - 1))

    def _perhaps_go_up(self, usual_s: float, now_s: float) -> None:
        if self._tried_since_s is not None and now_s - self._tried_since_s >= SOON_S:
            self._waits_s[self._step] = UP_AFTER_S
            self._tried_since_s = None
        larger = self._step - 1
        if larger < 0 or self._expected_s(larger, usual_s) > FITS_UP * self._budget_s:
            self._fits_since_s = None
        elif self._fits_since_s is None:
            self._fits_since_s = now_s
        elif now_s - self._fits_since_s >= self._waits_s[larger]:
            self._fits_since_s, self._tried_since_s = None, now_s
            self._go_to(larger)

    def _go_to(self, step: int) -> None:
        if step != self._step:
            self._step = step
            self._frames.clear()

    def _expected_s(self, step: int, usual_s: float) -> float:
        """What a frame should take at another step: time goes with the number of pixels."""
        return usual_s * math.prod(self._steps[step]) / math.prod(self.size)
