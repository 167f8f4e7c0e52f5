"""Requests to end: what a user, a scheduler and a closed terminal send."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from nst.infer.command_line import EXIT_INTERRUPTED

EXIT_TERMINATED = 143
END_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Windows has no SIGHUP."""
Handler = Callable[[int, FrameType | None], None]


def exit_status(number: int) -> int:
    """Of a program that such a signal ended: all but Ctrl-C count as SIGTERM."""
    return EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_TERMINATED


@contextmanager
def handling(handler: Handler) -> Iterator[None]:
    """Have those that are not ignored handled; in the main thread alone, as Python has it.

    Args:
        handler: is called with the number of the signal, and the frame.
    """
    is_main = threading.current_thread() is threading.main_thread()
    heeded = [each for each in END_SIGNALS if is_main and signal.getsignal(each) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


@contextmanager
def ending_as_interrupt() -> Iterator[list[int]]:
    """Make all of them what Ctrl-C is.

    Yields:
        The numbers of those that came.
    """
    came: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    with handling(interrupt):
        yield came
