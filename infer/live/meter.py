"""How fast the picture moves and how old it is."""

import statistics
from collections import deque

WINDOW_S = 1.0


class Meter:
    """Frames per second and latency, over the last second."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, float]] = deque()

    def add(self, now_s: float, age_s: float) -> None:
        """Count a frame.

        Args:
            now_s: when it was shown, in seconds on a clock of any beginning.
            age_s: how long before that it came from the camera.
        """
        self._frames.append((now_s, age_s))
        while now_s - self._frames[0][0] > WINDOW_S and len(self._frames) > 2:
            self._frames.popleft()

    @property
    def frames_per_s(self) -> float:
        """0 until there are two frames."""
        if len(self._frames) < 2:
            return 0.0
        taken_s = self._frames[-1][0] - self._frames[0][0]
        return (len(self._frames) - 1) / taken_s if taken_s > 0 else 0.0

    @property
    def latency_s(self) -> float:
        """Median age of the frames when they were shown; 0 until there is one."""
        return statistics.median(age for _, age in self._frames) if self._frames else 0.0
