"""Styles by name: those that come with the package, and the user's own."""

import os
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

from nst.infer.errors import UserError, os_error_reason
from nst.infer.files import is_file

if TYPE_CHECKING:
    from PIL import Image

STYLES_VARIABLE = "NST_STYLES"
"""The environment variable that names the folder of the user's own styles."""

Tier: TypeAlias = Literal["realtime", "quality"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""The networks that each shipped style comes as, the fast one first."""
FOR_FRAMES: Tier = "realtime"
FOR_PHOTOS: Tier = "quality"
"""What is taken where nobody asks for a tier."""

SHIPPED = Path(__file__).parent / "shipped"
"""A folder for each tier."""
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


def shipped_styles(tier: Tier | None = FOR_FRAMES) -> list[NamedStyle]:
    """The styles that come with the package, by name; of all tiers where None is given."""
    tiers = TIERS if tier is None else (tier,)
    styles = [style for each in tiers for style in _styles_in(SHIPPED / each, own=False)]
    return sorted(styles, key=lambda style: style.name)


def own_styles() -> list[NamedStyle]:
    """The ONNX files in the folder that the environment variable ``NST_STYLES`` names, by name.

    Raises:
        UserError: if there is no such folder, or it cannot be looked into.
    """
    folder = os.environ.get(STYLES_VARIABLE, "")
    if not folder:
        return []
    try:
        if not Path(folder).is_dir():
            raise UserError(
                f"{STYLES_VARIABLE} names {folder}, which is no folder: mend or unset it"
            )
        return list(_styles_in(Path(folder), own=True))
    except OSError as error:
        raise UserError(
            f"{STYLES_VARIABLE} names {folder}, which cannot be read: {os_error_reason(error)}"
        ) from error


def all_styles(tier: Tier | None = FOR_FRAMES) -> list[NamedStyle]:
    """Every style that has a name, the user's own first; these hide shipped ones of their name.

    Args:
        tier: of the shipped ones; None for all.
    Raises:
        UserError: as ``own_styles``.
    """
    own: dict[str, NamedStyle] = {}
    for style in own_styles():
        own.setdefault(_plain(style.name), style)
    shipped = [style for style in shipped_styles(tier) if _plain(style.name) not in own]
    return [*own.values(), *shipped]


def find_style(text: str, tier: Tier = FOR_FRAMES) -> Path:
    """Find the file of a style.

    Args:
        text: the path of an ONNX file, or a name, in which "-" is "_" and capitals do not count.
            What ends in .onnx or names a folder is a path; so are the name of a file that exists,
            and one with a suffix that no style has.
        tier: that a shipped style is taken of.
    Returns:
        The file; a path is not looked at further.
    Raises:
        UserError: if no style has this name; it tells the nearest ones.
    """
    return as_named(text, tier).path


def named_styles(names: Sequence[str], tier: Tier | None, default: Tier) -> list[NamedStyle]:
    """Find several styles, as ``as_named`` does.

    Args:
        names: of styles, or paths.
        tier: that the user asks for.
        default: where that is None.
    Raises:
        UserError: if no style has a name, or a tier is asked for and none comes with nst.
    """
    styles = [as_named(name, tier or default) for name in names]
    if tier is not None and all(style.own for style in styles):
        raise UserError(
            f"--tier {tier} chooses among the networks of the styles that come with nst, and "
            f"{styles[0].path} is a file of your own: leave it out"
        )
    return styles


def as_named(text: str, tier: Tier = FOR_FRAMES) -> NamedStyle:
    """Find a style as ``find_style`` does, with its name; a file goes by its stem."""
    path = Path(text)
    file = NamedStyle(path.stem, path, own=True)
    if path.suffix.lower() == SUFFIX or path.name != text or is_file(path):
        return file
    styles = {_plain(style.name): style for style in all_styles(tier)}
    if _plain(text) in styles:
        return styles[_plain(text)]
    if path.suffix:
        return file
    near = " or ".join(styles[each].name for each in _near(_plain(text), styles))
    guess = f"did you mean {near}? " if near else ""
    raise UserError(
        f"there is no style {text}: {guess}nst-infer styles lists them, and a file is given with "
        f"its suffix, {text}{SUFFIX}"
    )


def _near(text: str, names: Collection[str]) -> list[str]:
    """Names that hold what was typed, or else the one that is most like it."""
    holding = [name for name in names if len(text) > 2 and text in name]
    return holding or get_close_matches(text, names, n=1, cutoff=0.5)


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
