"""What the results are called, and where they go."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from nst.infer.errors import UserError
from nst.infer.files import check_writable, is_folder
from nst.infer.jobs.inputs import Picture, stems_for
from nst.infer.pictures.images import (
    OUTPUT_SUFFIXES,
    Source,
    check_output_suffix,
    format_of,
    opened,
    suffix_of_format,
)

FileId = tuple[int, int]


class Destination(NamedTuple):
    """Where results go: to one file, or below a folder; beside the pictures if neither is given."""

    file: Path | None = None
    folder: Path | None = None


class Job(NamedTuple):
    """One picture and its results.

    Attributes:
        picture: the file, or what came in by the standard input.
        targets: the files to write, one per style.
    """

    picture: Source
    targets: tuple[Path, ...]


def read_destination(out: str | None, *, one: bool, form: str | None = None) -> Destination:
    """What ``--out`` means.

    Args:
        out: as the user wrote it; None is beside the pictures.
        one: whether there is one result, so that ``out`` can be a file.
        form: the suffix of the format that the user wants, such as ".png"; None is that of ``out``.
    Raises:
        UserError: if it is empty, a file in a format that is unknown or another one, or a file
            where there may be several results.
    """
    if out is None:
        return Destination()
    if not out:
        raise UserError("--out is empty: give a file or a folder")
    path = Path(out)
    is_file = path.suffix and not out.endswith(("/", os.sep))
    known = path.suffix.lower() in OUTPUT_SUFFIXES
    if not one and is_file and known and not is_folder(path):
        raise UserError(
            f"--out {out} is one file, and there may be several results: name a folder, such as "
            f"{path.stem}"
        )
    if not one or not is_file or (not known and is_folder(path)):
        return Destination(folder=path)
    check_output_suffix(path)
    if form and format_of(path) != format_of(Path(f"any{form}")):
        raise UserError(f"--out {out} and --format {form[1:]} are two formats: leave one out")
    return Destination(file=path)


def read_format(form: str | None) -> str | None:
    """The suffix that a format such as ``webp`` has.

    Raises:
        UserError: if it is unknown.
    """
    if form is None:
        return None
    suffix = f".{form.lower().removeprefix('.')}"
    if suffix not in OUTPUT_SUFFIXES:
        known = ", ".join(each[1:] for each in OUTPUT_SUFFIXES)
        raise UserError(f"--format {form} is not supported, use one of {known}")
    return suffix


def plan(
    pictures: Sequence[Picture], styles: Sequence[str], to: Destination, form: str | None = None
) -> list[Job]:
    """Give every result its name.

    That is ``photo.STYLE.ext`` beside the picture, and the picture's own name in a folder of
    results, where ``.STYLE`` is added if there are several or the picture itself is there. Names
    depend on the pictures and styles alone, not on which files there are.

    Args:
        pictures: all of them, also those that are the work of another shard.
        styles: their names.
        to: where the results go.
        form: suffix of their format; None is that of the picture, or PNG.
    """
    if to.file is not None:
        return [Job(picture.path, (to.file,)) for picture in pictures]
    inputs = {key_of(picture.path) for picture in pictures}
    plain = [folder_of(each, to) / f"{each.place.stem}{suffix_of(each, form)}" for each in pictures]
    inside = any(key_of(path) in inputs for path in plain)
    named = to.folder is None or len(styles) > 1 or inside
    stems = told_apart(pictures, to, form)
    jobs = []
    for picture, stem in zip(pictures, stems, strict=True):
        folder, suffix = folder_of(picture, to), suffix_of(picture, form)
        names = [f"{stem}.{style}{suffix}" if named else f"{stem}{suffix}" for style in styles]
        jobs.append(Job(picture.path, tuple(folder / name for name in names)))
    return jobs


def told_apart(pictures: Sequence[Picture], to: Destination, form: str | None) -> list[str]:
    """A stem per picture, so that no two results have one name.

    Where two would be the same, they get what tells the pictures apart: their suffix, their
    folder, or a digest of their path.
    """

    def keys(stems: Iterable[str]) -> list[str]:
        return [
            key_of(folder_of(each, to) / f"{stem}{suffix_of(each, form)}")
            for each, stem in zip(pictures, stems, strict=True)
        ]

    ways = [stems_for(picture.path) for picture in pictures]
    stems = [way[0] for way in ways]
    for number in range(1, len(ways[0]) if ways else 0):
        shared = repeated(keys(stems))
        stems = [
            way[number] if key in shared else stem
            for way, stem, key in zip(ways, stems, keys(stems), strict=True)
        ]
    return stems


def repeated(keys: Sequence[str]) -> Set[str]:
    """Those that are there twice or more."""
    return {key for key, count in Counter(keys).items() if count > 1}


def key_of(path: Path) -> str:
    """The same for two names of one file, also where upper and lower case are the same."""
    return normalize("NFC", os.path.abspath(path)).casefold()  # noqa: PTH100 # links stay


def folder_of(picture: Picture, to: Destination) -> Path:
    """Where the results for a picture go."""
    return picture.path.parent if to.folder is None else to.folder / picture.place.parent


def suffix_of(picture: Picture, form: str | None) -> str:
    """The suffix of its results: its own if that is the format wanted, or can be written at all."""
    own = picture.path.suffix or suffix_of_content(picture.path)
    can_write = own.lower() in OUTPUT_SUFFIXES
    if form is None:
        return own if can_write else ".png"
    same = can_write and format_of(Path(f"any{own}")) == format_of(Path(f"any{form}"))
    return own if same else form


@cache
def suffix_of_content(path: Path) -> str:
    """The suffix that a picture without one would have; "" if it cannot be read."""
    with suppress(UserError), opened(path) as image:
        return suffix_of_format(image.format or "")
    return ""


def file_ids(paths: Iterable[Path]) -> Set[FileId]:
    """What files are known by under any of their names; those that are missing have none."""
    ids = set()
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            ids.add((status.st_dev, status.st_ino))
    return ids


def is_there(target: Path, inputs: Set[FileId]) -> bool:
    """Whether a result is there already.

    Args:
        target: the file to write.
        inputs: of files that must never be written over.
    Raises:
        UserError: if it is one of them.
    """
    try:
        status = target.stat()
    except OSError:  # what it is, if it is not that the file is missing, writing will tell
        return False
    if (status.st_dev, status.st_ino) in inputs:
        raise UserError(f"cannot write {target}: it is an input, choose another name")
    return not stat.S_ISDIR(status.st_mode)


def check_target(target: Path) -> None:
    """Find out before the work whether a result can be written.

    Raises:
        UserError: as ``nst.infer.files.check_writable``.
    """
    try:
        check_writable(target)
    except UserError as error:
        if getattr(error.__cause__, "errno", None) == errno.ENAMETOOLONG:
            raise UserError(f"{error}, --out gives the result another") from error
        raise
