"""The run that a new one takes the place of: kept until the new one has a checkpoint."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from nst.infer.files import ensure_folder, is_folder
from nst.train.callbacks.run_files import holds_run

ASIDE = ".before"


class SetAside:
    """Files and folders of a run, put into a hidden folder beside them, which only renames them.

    Args:
        folder: of the run.
        names: patterns of what belongs to a run, relative to its folder.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder = folder
        self.aside = folder / ASIDE
        self.names = names

    @property
    def is_there(self) -> bool:
        """Whether something was put aside."""
        return is_folder(self.aside)

    def take(self) -> None:
        """Put aside what there is.

        Raises:
            UserError: if the hidden folder cannot be made.
        """
        ensure_folder(self.aside)
        self._move(self.folder, self.aside)

    def settle(self) -> None:
        """Remove it if the new run has a checkpoint; if not, put it back in its place."""
        if not self.is_there:
            return
        if not holds_run(self.folder):
            for path in self._present(self.folder):
                remove(path)
            self._move(self.aside, self.folder)
        shutil.rmtree(self.aside, ignore_errors=True)

    def _move(self, here: Path, there: Path) -> None:
        for path in self._present(here):
            target = there / path.relative_to(here)
            target.parent.mkdir(exist_ok=True)
            path.rename(target)

    def _present(self, folder: Path) -> list[Path]:
        return [path for name in self.names for path in folder.glob(name)]


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
