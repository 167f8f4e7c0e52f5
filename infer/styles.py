"""Styles by name: those that come with the package, and the user's own."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nst.infer.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

STYLES_VARIABLE = "NST_STYLES"
"""The environment variable that names the folder of the user's own styles."""

SHIPPED = Path(__file__).parent / "shipped"
SUFFIX = ".onnx"

THUMBNAIL_PX = 320
"""Longer side of a picture on a sheet of styles."""


class NamedStyle(NamedTuple):
    """A style that goes by its name.

    Attributes:
        name: the stem of the file.
        path: the ONNX file.
        own: whether it is the user's own.
    """

    name: str
    path: Path
    own: bool


def shipped_styles() -> list[NamedStyle]:
    """The styles that come with the package, by name."""
    return list(_styles_in(SHIPPED, own=False))


def own_styles() -> list[NamedStyle]:
    """The ONNX files in the folder that the environment variable ``NST_STYLES`` names, by name.

    Raises:
        UserError: if there is no such folder.
    """
    folder = os.environ.get(STYLES_VARIABLE, "")
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise UserError(f"{STYLES_VARIABLE} names {folder}, which is no folder: mend or unset it")
    return list(_styles_in(Path(folder), own=True))


def all_styles() -> list[NamedStyle]:
    """Every style that has a name, the user's own first; these hide shipped ones of their name.

    Raises:
        UserError: as ``own_styles``.
    """
    styles: dict[str, NamedStyle] = {}
    for style in (*own_styles(), *shipped_styles()):
        styles.setdefault(_plain(style.name), style)
    return list(styles.values())


def find_style(text: str) -> Path:
    """Find the file of a style.

    Args:
        text: the path of an ONNX file, or a name, in which "-" is "_" and capitals do not count.
            What has a suffix or names a folder is a path; so is the name of a file that exists.
    Returns:
        The file; a path is not looked at further.
    Raises:
        UserError: if no style has this name; it tells the nearest ones.
    """
    return as_named(text).path


def as_named(text: str) -> NamedStyle:
    """Find a style as ``find_style`` does, with its name; a file goes by its stem."""
    path = Path(text)
    if path.suffix or path.name != text or path.is_file():
        return NamedStyle(path.stem, path, own=True)
    styles = {_plain(style.name): style for style in all_styles()}
    if _plain(text) in styles:
        return styles[_plain(text)]
    near = [styles[each].name for each in get_close_matches(_plain(text), styles, cutoff=0.5)]
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise UserError(
        f"there is no style {text}: {guess}nst-infer styles lists them, and a file is given with "
        f"its suffix, {text}{SUFFIX}"
    )


def style_facts(style: NamedStyle) -> dict[str, Any]:
    """What the file of a style says about itself, as JSON types.

    Returns:
        ``name``, ``own``, ``file``, ``size_bytes``, and title, artist, year, tier and precision,
        "" where the file does not tell.
    Raises:
        UserError: if the file cannot be read.
    """
    from nst.infer.engine.model_card import read_card

    card = read_card(style.path)
    told = {key: card.get(key, "") for key in ("title", "artist", "year", "tier", "precision")}
    return {"name": style.name, "own": style.own, **told} | {
        "file": str(style.path),
        "size_bytes": card["size_bytes"],
    }


def packaged_photo() -> "Image.Image":
    """The photo that comes with the package, 600x400 px, RGB."""
    from nst.infer.pictures.images import on_white, read_image

    return on_white(read_image(SHIPPED / "coffee.jpg"))


def _styles_in(folder: Path, *, own: bool) -> Iterator[NamedStyle]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == SUFFIX and path.is_file():
            yield NamedStyle(path.stem, path, own)


def _plain(name: str) -> str:
    return name.replace("-", "_").lower()
