"""Names of videos that are not complete yet."""

import os
from itertools import count
from pathlib import Path

from nst.infer.errors import UserError, os_error_reason

STEM_BYTES = 200
"""How much of its later name the name of a partial file repeats, of the usual limit of 255."""


def partial_path(target: Path) -> Path:
    """Where a result is until it is complete: a name that is free.

    The first of ``out.partial.mp4``, ``out.partial-2.mp4`` and so on: others may be of another run.
    """
    stem = os.fsencode(target.stem)[:STEM_BYTES].decode(errors="ignore")
    names = (f"{stem}.partial{f'-{n}' if n > 1 else ''}{target.suffix}" for n in count(1))
    return next(path for path in map(target.with_name, names) if not os.path.lexists(path))


def make_partial(target: Path) -> Path:
    """Make the file that a result is written to, which is empty and of this run alone.

    Raises:
        UserError: if it cannot be made.
    """
    while True:
        partial = partial_path(target)
        try:
            partial.touch(exist_ok=False)
        except FileExistsError:  # another run was faster
            continue
        except OSError as error:
            raise UserError(f"cannot write {target}: {os_error_reason(error)}") from error
        return partial


def complete(partial: Path, target: Path) -> None:
    """Give a file its name, once what is in it is on the disk.

    Raises:
        OSError: if the operating system refuses.
    """
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)
