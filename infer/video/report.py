"""What the user is told while videos are stylized."""

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from nst.infer.command_line import print_line, print_notice, print_text
from nst.infer.messages import PROG, Messages, counted
from nst.infer.video.clip import ClipOutcome, left

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class VideoReport(Messages):
    """Also a line per result on stdout, and a progress bar."""

    why_skipped = "there already, --overwrite makes them again"

    def __init__(self, *, device: str, as_json: bool, quiet: bool, verbose: bool) -> None:
        super().__init__(device=device, as_json=as_json, quiet=quiet, verbose=verbose)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._shown: ClipOutcome | None = None
        self._begun = 0.0

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            self._bar = self._open.enter_context(open_bar())
        return self

    def progress(self, outcome: ClipOutcome, share: float | None) -> None:
        """Show how much of a clip is done."""
        if self._bar is None:
            return
        if self._task is None or outcome is not self._shown:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._shown = outcome
            self._begun = time.perf_counter()
            self._task = self._bar.add_task(outcome.source.name, total=1.0, speed="")
        seconds = time.perf_counter() - self._begun
        speed = f"{counted(outcome.frames, 'frame')}, {outcome.frames / max(seconds, 1e-3):.1f}/s"
        self._bar.update(self._task, completed=share, speed=speed)

    def outcome(self, outcome: ClipOutcome) -> None:
        """Tell what became of a clip.

        Raises:
            UserError: if stdout cannot be written.
        """
        for text in outcome.notices:
            self.notice(text)
        if outcome.error is not None:
            self.counts["failed"] += 1
            self.error(outcome.error)
        elif outcome.skipped:
            self.counts["skipped"] += 1
            self.detail(f"{outcome.target} is there already")
        else:
            self.counts["done"] += 1
        if self.as_json:
            print_text(json.dumps({**facts(outcome), "device": self.device}))
        elif outcome.size is not None and not self.quiet:
            print_line(self._line(outcome, outcome.size))

    def interrupted(self, outcome: ClipOutcome) -> None:
        """Tell what there is of a clip."""
        if outcome.partial is not None:
            print_notice(PROG, left(outcome))

    def _line(self, outcome: ClipOutcome, size: tuple[int, int]) -> str:
        width, height = size
        device = "" if self.device == "cpu" else f"  {self.device}"
        speed = outcome.frames / outcome.seconds
        return (
            f"{outcome.target}  {width}x{height}  {outcome.style}{device}  "
            f"{counted(outcome.frames, 'frame')}  {outcome.seconds:.2f} s  {speed:.1f} frames/s"
        )


def open_bar() -> "Progress":
    """A bar on stderr; lines go above it where both are on the terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )


def facts(outcome: ClipOutcome) -> dict[str, Any]:
    """An outcome for JSON."""
    is_done = outcome.size is not None
    return {
        "input": str(outcome.source),
        "output": str(outcome.target),
        "style": outcome.style,
        "size": outcome.size,
        "frames": outcome.frames if is_done else None,
        "seconds": round(outcome.seconds, 3) if is_done else None,
        "fps": round(outcome.frames / outcome.seconds, 2) if is_done else None,
        "lost_frames": outcome.lost_frames if is_done else None,
        "notices": outcome.notices,
        "error": None if outcome.error is None else str(outcome.error),
        "skipped": outcome.skipped,
    }
