"""What the user is told while pictures are stylized."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from nst.infer.command_line import print_line, print_notice, print_text
from nst.infer.errors import UserError
from nst.infer.messages import PROG, Messages

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

    from nst.infer.jobs.one_photo import Outcome

NOTHING = {
    **dict.fromkeys(("input", "output", "style", "size", "seconds", "device")),
    **dict.fromkeys(("tiles", "measured", "error")),
    "skipped": False,
}
"""The keys of a line of JSON, in order, for an input of which there is no result."""


class Report(Messages):
    """Also lines on stdout, and a progress bar.

    Args:
        total: results to come; from 2 on a bar is shown where stderr is a terminal.
        others: see ``Messages``.
    """

    why_skipped = (
        "files of their names are there, of whatever photo and style; --overwrite makes them again"
    )

    def __init__(
        self, *, device: str, as_json: bool, quiet: bool, verbose: bool, total: int = 1
    ) -> None:
        super().__init__(device=device, as_json=as_json, quiet=quiet, verbose=verbose)
        self.total = total
        self._advance: Callable[[], object] = lambda: None
        self._show_share: Callable[[float], object] | None = None

    def __enter__(self) -> Self:
        if self.total > 1 and self._may_show_bar():
            self._show_bar()
        return self

    def outcome(self, outcome: "Outcome") -> None:
        """Tell what became of a result.

        Raises:
            UserError: if stdout cannot be written.
        """
        for text in outcome.notices:
            self.notice(text)
        if outcome.error is not None:
            self._count("failed")
            self.error(outcome.error)
        elif outcome.skipped:
            self._count("skipped")
            self.detail(f"{outcome.target} is there already")
        else:
            self._count("done")
            self.detail(stages(outcome))
        if self.as_json:
            self._json(**facts(outcome))
        elif outcome.size is not None and not self.quiet:
            width, height = outcome.size
            seconds = f"{outcome.seconds.total:.2f} s"
            device = "" if self.device == "cpu" else f"  {self.device}"
            print_line(f"{outcome.target}  {width}x{height}  {outcome.style}{device}  {seconds}")

    def progress(self, share: float) -> None:
        """Show how much of the only picture is done, 0 to 1, once it is known to take long."""
        if self._show_share is None and self._may_show_bar():
            self._show_share_bar()
        if self._show_share is not None:
            self._show_share(share)

    def failure(self, name: str, error: UserError) -> None:
        """Tell of an input that there are no pictures for."""
        self.counts["failed"] += 1
        self.error(error)
        if self.as_json:
            self._json(input=name, error=str(error))

    def error(self, error: UserError) -> None:
        """Tell what went wrong, once: all results of a photo may have failed for one reason."""
        if str(error) not in self._told:
            self._told.add(str(error))
            super().error(error)

    def interrupted(self) -> None:
        """Tell what there is, and that nothing is lost."""
        done = self.counts["done"] + self.counts["skipped"]
        print_notice(
            PROG,
            f"{done} of {self.total} results are there, and whole: "
            "without --overwrite the same command makes the others",
        )

    def _count(self, kind: str) -> None:
        self.counts[kind] += 1
        self._advance()

    def _json(self, **known: Any) -> None:
        print_text(json.dumps({**NOTHING, "device": self.device, **known}))

    def _may_show_bar(self) -> bool:
        return not self.quiet and sys.stderr.isatty()

    def _show_bar(self) -> None:
        from rich.progress import MofNCompleteColumn

        bar = self._open_bar(MofNCompleteColumn())
        task = bar.add_task("", total=self.total)
        self._advance = lambda: bar.advance(task)

    def _show_share_bar(self) -> None:
        from rich.progress import TaskProgressColumn

        bar = self._open_bar(TaskProgressColumn())
        task = bar.add_task("", total=1.0)
        self._show_share = lambda share: bar.update(task, completed=share)

    def _open_bar(self, count: "ProgressColumn") -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TimeRemainingColumn

        columns = BarColumn(bar_width=None), count, TimeRemainingColumn()
        console = Console(stderr=True)
        # Lines go above the bar where both are on the terminal, and past it where they are not.
        bar = Progress(
            *columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()
        )
        return self._open.enter_context(bar)


def stages(outcome: "Outcome") -> str:
    """How long a result took, stage by stage."""
    seconds = outcome.seconds
    tiles = ""
    if outcome.tiling.tiles > 1:
        tiles = f" in {outcome.tiling.tiles} tiles, {outcome.tiling.measured:.0%} of it measured"
    return (
        f"{outcome.target}: read {seconds.read:.2f} s, network {seconds.network:.2f} s{tiles}, "
        f"written {seconds.write:.2f} s"
    )


def facts(outcome: "Outcome") -> dict[str, Any]:
    """An outcome for JSON."""
    return {
        "input": str(outcome.source),
        "output": str(outcome.target),
        "style": outcome.style,
        "size": outcome.size,
        "seconds": round(outcome.seconds.total, 3) if outcome.size else None,
        "tiles": outcome.tiling.tiles if outcome.size else None,
        "measured": round(outcome.tiling.measured, 3) if outcome.size else None,
        "error": None if outcome.error is None else str(outcome.error),
        "skipped": outcome.skipped,
    }
