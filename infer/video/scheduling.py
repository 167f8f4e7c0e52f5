"""Keeps encoders from taking the whole machine."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

THREADS = Path("/proc/self/task")


@contextmanager
def same_scheduling() -> Iterator[None]:
    """Give the threads of this process their scheduling back at the end of the block.

    Threads that were begun in it get that of the thread that called.

    SVT-AV1, run by root as in many containers, gives its threads and the one that opens it the
    highest real-time priority, and leaves it so: they and all that is started later then keep
    everything else on the machine from its turn. It does so on Linux alone.
    """
    if sys.platform != "linux":
        yield
        return
    usual = scheduling(0)
    before = {}
    for thread in threads():
        with suppress(OSError):  # has ended
            before[thread] = scheduling(thread)
    try:
        yield
    finally:
        for thread in threads():
            wanted = before.get(thread, usual)
            with suppress(OSError):  # has ended, or may not be changed
                if scheduling(thread)[0] != wanted[0]:
                    os.sched_setscheduler(thread, *wanted)


def threads() -> list[int]:
    """Numbers of the threads of this process."""
    return [int(path.name) for path in THREADS.iterdir()]


def scheduling(thread: int) -> tuple[int, os.sched_param]:
    """Policy and priority of a thread; 0 is the one that calls."""
    return os.sched_getscheduler(thread), os.sched_getparam(thread)
