"""A clip played at its own pace, as if it came from a camera."""

import time
from collections.abc import Callable

from nst.infer.video.protocol import FrameSource, TimedFrame


class Paced:
    """Gives each frame of a clip when its time has come.

    Args:
        clip: its times count from its beginning.
        clock: the time in seconds, as ``time.monotonic()`` gives it.
        sleep: waits that many seconds, or less if the clip is about to be closed.
    """

    def __init__(
        self,
        clip: FrameSource,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clip, self._clock, self._sleep = clip, clock, sleep
        self._start_s: float | None = None

    def read(self) -> TimedFrame | None:
        """The next frame, with the time at which it came; None at the end.

        Raises:
            UserError: as the clip does.
        """
        frame = self._clip.read()
        if frame is None:
            return None
        now_s = self._clock()
        if self._start_s is None:
            self._start_s = now_s - frame.time_s
        due_s = self._start_s + frame.time_s
        if due_s > now_s:
            self._sleep(due_s - now_s)
        return frame._replace(time_s=max(due_s, now_s))

    def close(self) -> None:
        """Close the clip."""
        self._clip.close()
