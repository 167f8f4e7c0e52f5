"""What happened in a run, if anything did: ``notes.txt``."""

from pathlib import Path

from nst.infer.command_line import print_notice
from nst.infer.files import atomic_write

NOTES = "notes.txt"
SKIPPED = "skipped: "
"""The beginning of a note about a photo that was left out."""
ENLARGED = "enlarged: "
"""The beginning of a note about a photo that is smaller than the crops."""


class Notes:
    """All that users were told, before interruptions too. One process alone writes it.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NOTES

    def add(self, line: str, *, aloud: bool = True) -> None:
        """Tell the user in the file and, if aloud, now."""
        if aloud:
            print_notice("nst-train", line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def lines(self) -> list[str]:
        """Those in the file, as far as they can be read; none if there is no file."""
        if not self.path.exists():
            return []
        return self.path.read_text(encoding="utf-8", errors="replace").splitlines()

    def keep(self, lines: list[str]) -> None:
        """Leave these alone in the file.

        Raises:
            UserError: if it cannot be written.
        """
        if not lines:
            self.path.unlink(missing_ok=True)
        elif lines != self.lines():
            with atomic_write(self.path) as beside:
                beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def about(self, kind: str) -> set[str]:
        """What was noted of photos, a line each; ``kind`` is SKIPPED or ENLARGED."""
        return {line.removeprefix(kind) for line in self.lines() if line.startswith(kind)}
