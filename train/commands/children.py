"""Runs one after the other, each in a process of its own.

A crash, an end for want of memory or several GPUs of one run cannot touch the others so. The
processes are in process groups of their own: Ctrl-C reaches this one alone, which passes it on
once.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from nst.infer.command_line import EXIT_USER_ERROR, print_line, print_notice
from nst.infer.files import ensure_folder
from nst.train.signals import exit_status, handling
from nst.train.wording import clock_duration

NST_TRAIN = (sys.executable, "-P", "-m", "nst.train")
EXIT_SOME_FAILED = 1


@dataclass(frozen=True)
class Job:
    """A run that is to be done.

    Attributes:
        name: for the user.
        folder: of the run.
        arguments: of its ``nst-train``.
        result: a file or folder that it leaves.
        is_done: whether there is nothing left to do.
        refusal: why it cannot be done; empty if it can.
    """

    name: str
    folder: Path
    arguments: tuple[str, ...]
    result: Path
    is_done: bool
    refusal: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        job: what it was.
        state: done, skipped, failed, interrupted or not begun.
        status: the exit status; None if no process was begun.
        seconds: that it took.
    """

    job: Job
    state: str
    status: int | None = None
    seconds: float = 0.0

    @property
    def is_well(self) -> bool:
        """Whether the result is there."""
        return self.state in ("done", "skipped")

    @property
    def reason(self) -> str:
        """Where the result is, or what is known of why there is none."""
        if self.is_well:
            return str(self.job.result)
        if self.status is None:
            return self.job.refusal
        if self.status >= 0:
            return f"exit status {self.status}"
        if -self.status == getattr(signal, "SIGKILL", None):
            return "ended by SIGKILL, as systems do where memory is used up"
        return f"ended by {signal.Signals(-self.status).name}"


class Queue:
    """Does jobs, one after the other, until it is interrupted.

    Attributes:
        outcomes: of the jobs so far.
    """

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._number = 0
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, jobs: Sequence[Job]) -> None:
        """Do them all; one that fails does not keep the others from being done.

        Raises:
            UserError: if a folder cannot be made.
        """
        with handling(self._pass_on):
            for place, job in enumerate(jobs, start=1):
                if self.is_interrupted:
                    self.outcomes.append(Outcome(job, "not begun"))
                else:
                    self.outcomes.append(self._do(job, f"{job.name} ({place} of {len(jobs)})"))

    def _do(self, job: Job, title: str) -> Outcome:
        if job.is_done:
            print_line(f"{title}: done before, {job.result} is there")
            return Outcome(job, "skipped")
        if job.refusal:
            print_notice("nst-train", job.refusal)
            return Outcome(job, "failed")
        print_line(f"{title}: in {job.folder}")
        ensure_folder(job.folder.parent)
        began_s = time.monotonic()
        status = self._wait_for([*NST_TRAIN, *job.arguments])
        state = "interrupted" if self._number and status else "failed" if status else "done"
        return Outcome(job, state, status, time.monotonic() - began_s)

    def _wait_for(self, command: list[str]) -> int:
        self._child = subprocess.Popen(command, process_group=0)  # noqa: S603 - ourselves
        if self._number:  # it came before there was a process to pass it on to
            self._child.send_signal(self._number)
        status = self._child.wait()
        self._child = None
        return status

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        """Pass a request to end on to the process, which saves what it has, and begin no other."""
        self._number = signal.SIGINT if number == signal.SIGINT else signal.SIGTERM
        if self._child is not None:
            self._child.send_signal(self._number)

    def report(self) -> int:
        """Print a line for each.

        Returns:
            The exit status.
        """
        width = max(len(outcome.job.name) for outcome in self.outcomes)
        for outcome in self.outcomes:
            time_taken = clock_duration(outcome.seconds) if outcome.status is not None else "-"
            print_line(
                f"{outcome.job.name:{width}}  {outcome.state:11}  {time_taken:>9}  {outcome.reason}"
            )
        return self.status

    @property
    def is_interrupted(self) -> bool:
        """Whether it was asked to end."""
        return self._number != 0

    @property
    def status(self) -> int:
        """0 if all is well, 1 if some failed, 2 if all did, 130 or 143 if interrupted."""
        if self.is_interrupted:
            return exit_status(self._number)
        well = sum(outcome.is_well for outcome in self.outcomes)
        if well == len(self.outcomes):
            return 0
        return EXIT_SOME_FAILED if well else EXIT_USER_ERROR
