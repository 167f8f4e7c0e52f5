"""The photos in a folder."""

from collections.abc import Sequence
from pathlib import Path

from nst.infer.errors import UserError
from nst.infer.files import readable

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def find_photos(folder: Path) -> list[Path]:
    """The JPEG, PNG and WebP files of a folder and its subfolders, sorted.

    Hidden ones are left out: thumbnails, trash, and what macOS keeps beside files.

    Raises:
        UserError: if the folder is missing, cannot be looked into, or holds none.
    """
    with readable(folder):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: give a folder of photos")
        next(folder.iterdir(), None)  # rglob passes over a folder that is closed
        paths = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in SUFFIXES
            and not is_hidden(path.relative_to(folder))
            and path.is_file()
        )
    if not paths:
        raise UserError(f"no JPEG, PNG or WebP photo in the folder {folder}")
    return paths


def is_hidden(path: Path) -> bool:
    """Whether a file, or one of the folders on the way to it, has a name that begins with a dot."""
    return any(part.startswith(".") for part in path.parts)


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """At most ``count`` of them, at even distances."""
    count = min(count, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]
