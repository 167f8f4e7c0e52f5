"""Which pictures are meant by the words of a command line."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from nst.infer.errors import UserError, os_error_reason
from nst.infer.files import is_folder, is_same_file
from nst.infer.pictures.images import HEIC_SUFFIXES, OUTPUT_SUFFIXES
from nst.infer.styles import all_styles

PICTURE_SUFFIXES = frozenset({*OUTPUT_SUFFIXES, *HEIC_SUFFIXES})
"""What is taken for a picture in a folder, in lower case."""

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
"""What is taken for a video, in lower case."""

DIGEST_CHARACTERS = 8
ANY_FOLDERS = "**"
SHEET = "sheet"
"""What ``nst-infer sheet`` adds to the name of a photo."""

PARTIAL = r"\.partial(-\d+)?$"
"""At the end of the stem of a video that was not made to its end."""

Thing = TypeVar("Thing")


class Picture(NamedTuple):
    """A picture to stylize.

    Attributes:
        path: of the file; if it was named, it may be missing.
        place: where its result belongs below a folder of results, with the name of the picture.
    """

    path: Path
    place: Path


class Failure(NamedTuple):
    """An input that there are no pictures for, and why."""

    name: str
    error: UserError


class Found(NamedTuple):
    """What the words of a command line mean.

    Attributes:
        pictures: sorted by path, none of them twice.
        results: left out, because they are results for other pictures.
        failures: folders without pictures or not to be read, patterns without a file.
        one_file: whether there is one word, and it is no folder and no pattern.
        videos: how many were seen in folders and left out.
    """

    pictures: list[Picture]
    results: list[Path]
    failures: list[Failure]
    one_file: bool
    videos: int = 0


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def split_videos(words: Sequence[str], out: str | None) -> tuple[list[str], list[Path]]:
    """Tell videos from all other inputs.

    Args:
        words: as the user wrote them.
        out: likewise; a GIF is a video where it is to become one.
    Returns:
        The words that stand for pictures, and the video files.
    """
    others: list[str] = []
    videos: list[Path] = []
    to_video = len(words) == 1 and out is not None and is_video(Path(out))
    for word in words:
        found: list[Path] = []
        rest: list[str] = []
        for path in expand(word, []):
            is_clip = is_video(path) or (to_video and path.suffix.lower() == ".gif")
            if is_clip and not is_folder(path):
                found.append(path)
            else:
                rest.append(str(path))
        videos += found
        # A word without videos stays as it is: whether it is a pattern matters.
        others += rest if found else [word]
    return others, list(dict.fromkeys(videos))


def find_pictures(
    words: Sequence[str], *, recursive: bool, styles: Sequence[Path], out: Path | None = None
) -> Found:
    """Find the pictures that files, folders and patterns such as ``*.jpg`` stand for.

    In folders, hidden files and links to folders are left out, and so are results of an earlier
    run: ``photo.STYLE.ext`` beside ``photo.ext``, for the styles given, those beside them and all
    that have a name.

    Args:
        words: as the user wrote them.
        recursive: whether to look into the folders of a folder.
        styles: the model files.
        out: the folder of results, which is not looked into.
    Raises:
        UserError: if a word is empty, or the folder of the user's own styles is missing.
    """
    failures: list[Failure] = []
    named = list(dict.fromkeys(path for word in words for path in expand(word, failures)))
    folders = {path for path in named if is_folder(path)}
    one_file = len(words) == 1 and named == [Path(words[0])] and not folders
    unique: dict[str, Picture] = {}
    videos: list[Path] = []
    for path in named:
        if path in folders:
            # One folder is what the results mirror; of several, each has its own.
            top = Path() if len(folders) == 1 else Path(path.resolve().name)
            inside = list_folder(
                path, recursive=recursive, out=out, failures=failures, videos=videos
            )
            pictures = [Picture(each, top / each.relative_to(path)) for each in inside]
        else:
            pictures = [Picture(path, Path(path.name))]
        for picture in pictures:
            unique.setdefault(os.path.abspath(picture.path), picture)  # noqa: PTH100 # keeps links
    ordered = sorted(unique.values(), key=lambda picture: str(picture.path))
    results = find_results([picture.path for picture in ordered], styles)
    kept = [picture for picture in ordered if picture.path not in results]
    return Found(kept, sorted(results), failures, one_file, len(videos))


def expand(word: str, failures: list[Failure]) -> list[Path]:
    """The path that a word is, or the paths that match it; a pattern without any is a failure."""
    if not word:
        raise UserError("an input is empty: give a picture, a folder or a pattern")
    paths = matching(word)
    if not paths:
        failures.append(Failure(word, UserError(f"cannot read {word}: no file matches")))
    return paths


def matching(word: str) -> list[Path]:
    """The path that a word is; or, if it is a pattern, the paths that match it, sorted."""
    path = Path(word)
    return sorted(match_pattern(path)) if is_pattern(word) else [path]


def is_pattern(word: str) -> bool:
    """Whether it stands for the files that match it; a file may be called like a pattern."""
    return glob.has_magic(word) and not os.path.lexists(word)


def match_pattern(pattern: Path) -> Iterator[Path]:
    """What matches. ``**`` is any folder that is no link and not hidden, at the end any picture."""
    if ANY_FOLDERS not in pattern.parts:
        yield from map(Path, glob.glob(str(pattern)))  # noqa: PTH207 # it may be absolute
        return
    place = pattern.parts.index(ANY_FOLDERS)
    for start in match_pattern(Path(*pattern.parts[:place])) if place else [Path()]:
        for parent, folders, files in os.walk(start):
            folders[:] = [name for name in folders if not name.startswith(".")]
            here, rest = Path(parent), pattern.parts[place + 1 :]
            if rest:
                yield from match_pattern(Path(glob.escape(parent), *rest))
            else:
                yield from (here / name for name in files if is_picture(here / name))


def list_folder(
    folder: Path,
    *,
    recursive: bool,
    out: Path | None,
    failures: list[Failure],
    videos: list[Path],
) -> list[Path]:
    """The pictures in a folder, as far as it can be read; the videos in it are added to a list."""

    def fail(error: OSError) -> None:
        reason = UserError(f"cannot read {error.filename}: {os_error_reason(error)}")
        failures.append(Failure(str(error.filename), reason))

    before = len(failures)
    paths = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        here = Path(parent)
        deeper = [name for name in folders if recursive and not name.startswith(".")]
        folders[:] = [name for name in deeper if out is None or not is_same_file(here / name, out)]
        paths += [here / name for name in files if is_picture(here / name)]
        videos += [here / name for name in files if is_video(here / name)]
    if not paths and len(failures) == before:
        hint = "" if recursive else ", --recursive looks into its folders too"
        hint = ", videos have to be named" if videos else hint
        reason = UserError(f"cannot use {folder}: there is no picture in it{hint}")
        failures.append(Failure(str(folder), reason))
    return paths


def is_picture(path: Path) -> bool:
    """Whether an entry of a folder is taken for a picture, by its name and what it is.

    A link that leads nowhere is one, which will be reported; a pipe or a device is none.
    """
    if path.name.startswith(".") or path.suffix.lower() not in PICTURE_SUFFIXES:
        return False
    return path.is_file() or (path.is_symlink() and not path.exists())


def stems_for(path: Path) -> tuple[str, ...]:
    """Names for the result of a picture: the plain one, and others that tell it from more pictures.

    They add its suffix, its folder, or characters that stand for its path.
    """
    folder = path.absolute().parent.name
    digest = sha256(os.fsencode(path.absolute())).hexdigest()[:DIGEST_CHARACTERS]
    own, name = path.stem, path.name
    return own, name, f"{folder}-{own}", f"{folder}-{name}", f"{own}-{digest}"


def find_results(paths: Sequence[Path], styles: Sequence[Path]) -> set[Path]:
    """Those of some pictures or videos that an earlier run made of others of them.

    What an earlier run left of a video, such as ``clip.STYLE.partial.mp4``, counts too.

    Args:
        paths: of the pictures or videos.
        styles: the model files; those beside them and all that have a name count too.
    """
    folders = {style.parent for style in styles}
    names = {SHEET, *(style.stem for style in styles), *(style.name for style in all_styles())}
    names |= {model.stem for folder in folders for model in folder.glob("*.onnx")}
    originals = {path.parent / stem for path in paths for stem in stems_for(path)}
    stems = {path: re.sub(PARTIAL, "", path.stem) for path in paths}
    return {
        path
        for path, stem in stems.items()
        for name in names
        if stem.endswith(f".{name}")
        if path.parent / stem.removesuffix(f".{name}") in originals
    }


def take_shard(things: Sequence[Thing], shard: str | None) -> list[Thing]:
    """A fixed part of a list, for jobs that share the work.

    Args:
        things: in their order; each is in one shard.
        shard: such as ``3/8``, the third of eight; None is all.
    Raises:
        UserError: if it is anything else.
    """
    if shard is None:
        return list(things)
    match = re.fullmatch(r"(\d+)/(\d+)", shard, re.ASCII)
    number, count = (int(part) for part in match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise UserError(f"--shard takes a part such as 3/8, from 1/8 to 8/8, not {shard!r}")
    return list(things[number - 1 :: count])
