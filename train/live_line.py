"""One line on the terminal that tells how far the work is."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from nst.train.wording import clock_duration

LIVE_INTERVAL_S = 0.25
PLAIN_INTERVAL_S = 10.0
WIDE_COLUMNS = 110
"""A terminal narrower than this gets the short form of the text."""


class State(NamedTuple):
    """Share done, 0 to 1, and the text: called with whether there is room for the long form."""

    share: float
    text: Callable[[bool], str]


class LiveLine:
    """A bar with a text that is rewritten on a terminal; elsewhere a plain line every ten seconds.

    Args:
        stream: where it goes; standard error by default.
    Attributes:
        disabled: show nothing.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.console = Console(file=stream or sys.stderr, highlight=False)
        self.bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.description}"),
            console=self.console,
            expand=True,
        )
        self.task = self.bar.add_task("starting", total=1.0)
        self.disabled = False
        self.drawn_s = 0.0
        self.latest: State | None = None

    def start(self) -> None:
        """Show the bar."""
        self.drawn_s = time.monotonic()
        if self.console.is_terminal and not self.disabled:
            self.bar.start()

    def update(self, share: float, text: Callable[[bool], str]) -> None:
        """Say where the work is; it is shown if the last time is long enough ago."""
        self.latest = State(share, text)
        now_s = time.monotonic()
        live = self.console.is_terminal
        if now_s - self.drawn_s >= (LIVE_INTERVAL_S if live else PLAIN_INTERVAL_S):
            self.drawn_s = now_s
            self.draw(self.latest)

    def finish(self) -> None:
        """Show the last state and give the terminal back."""
        if self.latest is not None:
            self.draw(self.latest)
        if self.console.is_terminal:
            self.bar.stop()

    def draw(self, state: State) -> None:
        """Show a state now."""
        if self.disabled:
            return
        if self.console.is_terminal:
            text = state.text(self.console.width >= WIDE_COLUMNS)
            self.bar.update(self.task, completed=state.share, description=text)
        else:
            self.console.print(state.text(True), soft_wrap=True)


class Work:
    """A live line for as long as a ``with`` block runs.

    Args:
        total: steps to go through.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.line = LiveLine()
        self.started_s = time.monotonic()
        self.first: tuple[int, float] | None = None

    def __enter__(self) -> Self:
        self.line.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.line.finish()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return max(time.monotonic() - self.started_s, 1e-9)

    def advance(self, done: int) -> None:
        """Say how much is done."""
        self.done = done
        if self.first is None:
            self.first = (done, time.monotonic())

    @property
    def per_second(self) -> float:
        """The pace since the first piece of work, which is slow: much is made ready in it."""
        done, since_s = self.first or (0, self.started_s)
        if self.done <= done:
            return max(self.done, 1) / self.elapsed_s
        return (self.done - done) / max(time.monotonic() - since_s, 1e-9)

    @property
    def time_left(self) -> str:
        """At the pace so far."""
        return clock_duration((self.total - self.done) / self.per_second)


class PhotoWork(Work):
    """Work over photos, some of which cannot be used.

    Attributes:
        skipped: how many.
    """

    skipped = 0

    def skip(self, reason: str) -> None:
        """Name a photo that cannot be used."""
        self.skipped += 1
        print(f"skipped: {reason}", file=sys.stderr)  # noqa: T201
