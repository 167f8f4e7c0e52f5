"""Files and folders: checked before the work, written whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nst.infer.errors import UserError, os_error_reason

UNFINISHED = ".tmp-"
"""In the names of files that are being written."""

STEM_CHARACTERS = 32
"""How much of a name its temporary name repeats: at most 128 of the usual limit of 255 bytes."""


def require_file(path: Path) -> None:
    """Refuse an input that is missing, a folder, a pipe or empty.

    Args:
        path: the file to read.
    Raises:
        UserError: if there is nothing to read.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise UserError(f"cannot read {path}: there is no such file") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {os_error_reason(error)}") from error
    if stat.S_ISDIR(status.st_mode):
        raise UserError(f"cannot read {path}: it is a folder, give a file")
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"cannot read {path}: it is a pipe or a device, give a file")
    if status.st_size == 0:
        raise UserError(f"cannot read {path}: the file is empty (0 bytes)")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system says against looking at a path into a line for the user.

    Python takes a missing file for no error there, but a closed folder or a long name for one.

    Args:
        path: for the message, where the error has none.
    Raises:
        UserError: if the body raises OSError.
    """
    try:
        yield
    except OSError as error:
        name = error.filename or path
        raise UserError(f"cannot read {name}: {os_error_reason(error)}") from error


def is_file(path: Path) -> bool:
    """Whether there is a file of that name, as far as that can be seen."""
    with suppress(OSError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder of that name, as far as that can be seen."""
    with suppress(OSError):
        return path.is_dir()
    return False


def exists(path: Path) -> bool:
    """Whether there is anything of that name, as far as that can be seen."""
    with suppress(OSError):
        return path.exists()
    return False


def is_newer(path: Path, other: Path) -> bool:
    """Whether a file is there and was written after another."""
    return exists(path) and path.stat().st_mtime_ns >= other.stat().st_mtime_ns


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file so that its name never holds half of it.

    The body writes to the path it is given, an empty file in the same folder with the same
    suffix. It takes the final name when the body ends well, and is removed when it does not.

    Args:
        path: the final name; its folder must exist. A symbolic link is written through.
    Yields:
        The temporary path.
    Raises:
        UserError: if the operating system refuses (no folder, disk full, name too long, ...).
    """
    temporary: Path | None = None
    try:
        target = _final_target(path)
        temporary = _create_beside(target)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UserError(f"cannot write {path}: {_write_reason(error, path)}") from error
        raise


def check_writable(path: Path) -> None:
    """Find out before the work whether a file can be written.

    Args:
        path: the file to write later; it is neither made nor changed.
    Raises:
        UserError: as :func:`atomic_write` would.
    """
    try:
        _create_beside(_final_target(path)).unlink()
    except OSError as error:
        raise UserError(f"cannot write {path}: {_write_reason(error, path)}") from error


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file unless the user said so.

    Args:
        path: the file to write later.
        overwrite: whether it may be replaced.
    Raises:
        UserError: if it exists and may not.
    """
    if exists(path) and not overwrite:
        raise UserError(f"cannot write {path}: it exists, pass --overwrite to replace it")


def refuse_inputs(path: Path, inputs: Iterable[Path]) -> None:
    """Refuse to write over what is read, whatever else may be replaced.

    Args:
        path: the file to write later.
        inputs: what is read.
    Raises:
        UserError: if it is one of them, under this name or another.
    """
    if any(is_same_file(path, each) for each in inputs):
        raise UserError(f"cannot write {path}: it is an input, choose another name")


def is_same_file(path: Path, other: Path) -> bool:
    """Whether two names are of one file or folder; one that is missing is the same as none."""
    with suppress(OSError):
        return path.samefile(other)
    return False


def ensure_folder(path: Path) -> None:
    """Make a folder and those above it, and find out whether files can be written there.

    Args:
        path: the folder; it may exist.
    Raises:
        UserError: if it cannot be made, is a file, or cannot be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Only a real write tells: a superuser passes every permission check of a read-only disk.
        _create_beside(path / "probe").unlink()
    except FileExistsError as error:
        raise UserError(f"cannot use the folder {path}: a file has that name") from error
    except OSError as error:
        raise UserError(f"cannot use the folder {path}: {os_error_reason(error)}") from error


def check_folder(path: Path) -> None:
    """Find out before the work whether a folder can be made and written to, and leave nothing.

    Args:
        path: the folder; it may exist.
    Raises:
        UserError: as :func:`ensure_folder` would.
    """
    above = path
    try:
        while not above.exists() and above != above.parent:
            above = above.parent
        if above == path and not path.is_dir():
            raise FileExistsError
        _create_beside(above / "probe").unlink()
    except FileExistsError as error:
        raise UserError(f"cannot use the folder {path}: a file has that name") from error
    except OSError as error:
        raise UserError(f"cannot use the folder {path}: {os_error_reason(error)}") from error


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing in a folder, where no other one writes.

    Args:
        folder: it need not exist.
    """
    for path in folder.glob(f".*{UNFINISHED}*"):
        with suppress(OSError):
            path.unlink()


def _final_target(path: Path) -> Path:
    """Follow symbolic links, and find now what renaming would find after the work."""
    target = Path(os.path.realpath(path))
    try:
        is_folder = stat.S_ISDIR(target.stat().st_mode)  # fails if the name is too long
    except FileNotFoundError:
        return target
    if is_folder:
        raise UserError(f"cannot write {path}: it is a folder, give a file name")
    return target


def _create_beside(target: Path) -> Path:
    """Make an empty file with the folder, the suffix and the usual permissions of ``target``."""
    name = f".{target.stem[:STEM_CHARACTERS]}{UNFINISHED}{secrets.token_hex(4)}{target.suffix}"
    temporary = target.with_name(name)
    # Not tempfile: its files are closed to everyone but their owner, and the mode would stay.
    temporary.touch(exist_ok=False)
    return temporary


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _write_reason(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError) and not exists(path.parent):
        return f"the folder {path.parent} does not exist, make it first"
    return os_error_reason(error)
