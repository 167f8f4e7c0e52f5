"""What a run over photos or videos tells the user, whatever they are."""

from collections import Counter
from contextlib import ExitStack
from types import TracebackType
from typing import ClassVar, Self

from nst.infer.command_line import print_notice
from nst.infer.errors import UserError

PROG = "nst-infer"


def counted(number: int, name: str) -> str:
    """How many there are, such as ``1 frame`` and ``2 frames``."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


class Messages:
    """Notices on stderr and the counts of results; reports add lines, JSON and a bar.

    Args:
        device: that the networks run on.
        as_json: a JSON object per result in place of a line.
        quiet: errors alone.
        verbose: also what is done and why.
    Attributes:
        counts: results that are "done", "skipped" and "failed".
    """

    why_skipped: ClassVar[str] = ""
    """What the summary says of results that were there, in brackets."""

    def __init__(self, *, device: str, as_json: bool, quiet: bool, verbose: bool) -> None:
        self.device, self.as_json = device, as_json
        self.quiet, self.verbose = quiet, verbose
        self.counts: Counter[str] = Counter()
        self._told: set[str] = set()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    def error(self, error: UserError) -> None:
        """Tell what went wrong."""
        print_notice(PROG, str(error))

    def notice(self, text: str) -> None:
        """Tell what the user should know, once."""
        if not self.quiet and text not in self._told:
            self._told.add(text)
            print_notice(PROG, text)

    def detail(self, text: str) -> None:
        """Tell what is done, to those who want to know."""
        if self.verbose:
            print_notice(PROG, text)

    def summary(self) -> None:
        """Tell the counts."""
        skipped = f" ({self.why_skipped})" if self.counts["skipped"] else ""
        self.notice(
            f"{self.counts['done']} done, {self.counts['skipped']} skipped{skipped}, "
            f"{self.counts['failed']} failed"
        )
