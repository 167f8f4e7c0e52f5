"""A thread that reads a source and keeps its newest frame alone."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from nst.infer.errors import UserError
from nst.infer.video.protocol import FrameSource, TimedFrame

PATIENCE_S = 10.0
"""For how long a source that failed is opened again."""

RETRY_S = 0.5
LEAVE_S = 1.0
"""How long the thread has to end: a camera that hangs cannot be stopped."""


class Capture:
    """Reads a source as fast as it gives frames; whoever takes one gets the newest.

    Args:
        source: read and closed by the thread alone.
        reopen: opens the source again after it failed; None gives up at once.
        patience_s: for how long that is tried.
        retry_s: the time between two tries.
        closing: is set by ``close``; a source that waits can wait for it.
    Attributes:
        dropped: how many frames a newer one replaced before they were taken.
        trouble: what the source failed with, while it is being opened again; else "".
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        reopen: Callable[[], FrameSource] | None = None,
        patience_s: float = PATIENCE_S,
        retry_s: float = RETRY_S,
        closing: threading.Event | None = None,
    ) -> None:
        self._source, self._reopen = source, reopen
        self._patience_s, self._retry_s = patience_s, retry_s
        self._changed = threading.Condition()
        self._closing = closing or threading.Event()
        self._newest: TimedFrame | None = None
        self._error: BaseException | None = None
        self._over = False
        self.dropped = 0
        self.trouble = ""
        self._thread = threading.Thread(target=self._capture, name="nst-capture", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether there is no frame, none will come, and no error is left to be raised."""
        with self._changed:
            return self._over and self._newest is None and self._error is None

    def take(self, timeout_s: float) -> TimedFrame | None:
        """The newest frame that was not taken yet; None if there was none in time.

        Raises:
            UserError: if the source failed, once its last frame is taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._over, timeout_s)
            frame, self._newest = self._newest, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def close(self) -> None:
        """End the thread, which closes the source. May be called more than once."""
        self._closing.set()
        self._thread.join(LEAVE_S)

    def _capture(self) -> None:
        try:
            while not self._closing.is_set() and (frame := self._read()) is not None:
                self._keep(frame)
        except BaseException as error:  # noqa: BLE001 # raised again by who takes the frames
            self._error = error
        try:
            self._source.close()
        except BaseException as error:  # noqa: BLE001 # likewise; the first one says more
            self._error = self._error or error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _keep(self, frame: TimedFrame) -> None:
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = frame
            self._changed.notify_all()

    def _read(self) -> TimedFrame | None:
        try:
            return self._source.read()
        except UserError as error:
            if self._reopen is None:
                raise
            return self._read_again(self._reopen, error)

    def _read_again(self, reopen: Callable[[], FrameSource], lost: UserError) -> TimedFrame | None:
        """The first frame after the source was opened again, or what it had failed with."""
        self.trouble = str(lost)
        deadline = time.monotonic() + self._patience_s
        while not self._closing.wait(self._retry_s) and time.monotonic() < deadline:
            with suppress(UserError):
                self._source.close()  # or it could not be opened again
                self._source = reopen()
                frame = self._source.read()
                self.trouble = ""
                return frame
        raise lost
