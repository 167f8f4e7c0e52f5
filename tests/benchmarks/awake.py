"""Cores that never sleep, for measuring in virtual machines.

A core of a virtual machine that has nothing to do is lent to others, and comes back late. Whatever
waits often and briefly, as threads that share a network and the loop of a webcam do, is slow there
for a reason that no computer of one's own has.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

SPIN = """\
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.nice(19)
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1000000):
        pass
"""
START_S = 0.5


@contextmanager
def cores_awake(wanted: bool = True) -> Iterator[None]:
    """Spin on every core, at the lowest priority there is, while the block runs. Linux alone.

    Args:
        wanted: does nothing if not.
    """
    cores = sorted(os.sched_getaffinity(0)) if wanted else []
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN, str(core)]) for core in cores]
    try:
        time.sleep(START_S if wanted else 0)
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()
