"""One run at a time in a folder."""

import os
from contextlib import ExitStack, suppress
from pathlib import Path

from nst.infer.errors import UserError

_handles: list[int] = []


def lock_folder(folder: Path) -> ExitStack:
    """Keep other runs out of a folder, until what is given back is closed or the process ends.

    Nothing is written. Where the system has no such locks (Windows, some network disks), none is
    taken.

    Args:
        folder: it must exist.
    Raises:
        UserError: if another run works in it.
    """
    lock = ExitStack()
    with suppress(ImportError):
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        _handles.append(handle)
        lock.callback(_handles.remove, handle)
        lock.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise UserError(
                f"another nst-train works in {folder}: wait for it or end it"
            ) from error
        except OSError:
            lock.close()
    return lock


def leave_locks() -> None:
    """Let go of all locks that a forked process has with its parent: they end with the parent."""
    for handle in _handles:
        os.close(handle)
    _handles.clear()
