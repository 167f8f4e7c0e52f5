"""How long a model takes for a frame."""

import statistics
import time
from typing import NamedTuple

import numpy as np

from nst.infer.stylizer import Stylizer

TIMED_RUNS = 7
WARM_UP_RUNS = 2


class FrameTime(NamedTuple):
    """Milliseconds for a frame, bytes to bytes.

    Attributes:
        first_ms: of the first frame of this size, for which some devices compile.
        ms: median of the later ones.
    """

    first_ms: float
    ms: float


def frame_time(stylizer: Stylizer, size: tuple[int, int], *, runs: int = TIMED_RUNS) -> FrameTime:
    """Time frames of noise.

    Threads of another open stylizer that wait take processor time: have one at a time.

    Args:
        stylizer: a model on a device.
        size: width and height of the frames.
        runs: how many the median is of; two more come first, to warm up.
    Raises:
        UserError: if the model does not take this size or cannot run.
    """
    width, height = size
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    times_ms = []
    for _ in range(WARM_UP_RUNS + runs):
        start = time.perf_counter()
        stylizer(frame)
        times_ms.append(1000 * (time.perf_counter() - start))
    return FrameTime(times_ms[0], statistics.median(times_ms[WARM_UP_RUNS:]))
