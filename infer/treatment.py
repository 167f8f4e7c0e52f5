"""What a user can ask of a style besides the picture itself: strokes, size, colours, a mask."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from nst.infer.pictures.colors import keep_colors
from nst.infer.pictures.images import laid_on, read_image
from nst.infer.stylizer import Stylizer

AUTO_LONG_SIDE_PX = 1024
"""The longer side at which a brush that fits itself leaves strokes as they were trained."""
BRUSHES = (0.25, 16.0)
BAND_PX = 256
"""Rows that are worked on at a time, so that a large picture is not held once more."""


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """How a picture is to be stylized.

    Args:
        strength: of the style, 0 to 1.
        long_side_px: the longer side of the result, at least 1; a smaller picture keeps its size.
        brush: strokes this many times as large, 0.25 to 16. None fits them to the picture: as
            large, beside it, as they are on one of 1024 px.
        keep_colors: take the colours of the photo and only the light and dark of the result.
        mask: mode "L", stretched to the picture. White is stylized, black stays the photo.
    Raises:
        ValueError: if a number is out of range.
    """

    strength: float = 1.0
    long_side_px: int | None = None
    brush: float | None = 1.0
    keep_colors: bool = False
    mask: Image.Image | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must be from 0 to 1, got {self.strength}")
        if self.long_side_px is not None and self.long_side_px < 1:
            raise ValueError(f"long_side_px must be at least 1, got {self.long_side_px}")
        low, high = BRUSHES
        if self.brush is not None and not low <= self.brush <= high:
            raise ValueError(f"brush must be from {low:g} to {high:g}, got {self.brush}")

    def seen_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height at which the network sees a picture of this size."""
        width, height = self.result_size(width, height)
        brush = self.brush
        if brush is None:
            low, high = BRUSHES
            brush = min(high, max(low, max(width, height) / AUTO_LONG_SIDE_PX))
        return max(1, round(width / brush)), max(1, round(height / brush))

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the result for a picture of this size."""
        longer = max(width, height)
        if self.long_side_px is None or longer <= self.long_side_px:
            return width, height
        scale = self.long_side_px / longer
        return max(1, round(width * scale)), max(1, round(height * scale))


AS_TRAINED = Treatment()


def read_mask(path: Path) -> Image.Image:
    """Read a mask, mode "L". What is transparent is black.

    Raises:
        UserError: as ``nst.infer.pictures.images.read_image``.
    """
    return laid_on(read_image(path), "black").convert("L")


def treat(
    stylizer: Stylizer,
    image: Image.Image,
    treatment: Treatment = AS_TRAINED,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Image.Image:
    """Stylize a picture as a user asked for it.

    Args:
        stylizer: the style.
        image: mode "RGB" or "RGBA".
        treatment: what is asked for.
        on_progress: see ``Stylizer.stylize_image``.
    Returns:
        The mode of ``image``, and ``treatment.result_size`` of its size.
    Raises:
        UserError: as ``Stylizer.stylize_image``.
    """
    result_size = treatment.result_size(*image.size)
    if result_size != image.size:
        image = image.resize(result_size, Image.Resampling.LANCZOS)
    photo = image if image.mode == "RGB" else image.convert("RGB")
    seen_size = treatment.seen_size(*photo.size)
    lanczos = Image.Resampling.LANCZOS
    seen = photo if seen_size == photo.size else photo.resize(seen_size, lanczos)
    stylized = stylizer.stylize_image(seen, strength=treatment.strength, on_progress=on_progress)
    if seen_size != photo.size:
        stylized = restore_size(stylized, seen, photo)
    if treatment.keep_colors:
        _in_bands(keep_colors, stylized, photo)
    if treatment.mask is not None:
        mask = treatment.mask
        fitted = mask if mask.size == photo.size else mask.resize(photo.size)
        _in_bands(Image.composite, stylized, photo, fitted)
    if image.mode == "RGBA":
        stylized.putalpha(image.getchannel("A"))
    return stylized


def restore_size(stylized: Image.Image, seen: Image.Image, photo: Image.Image) -> Image.Image:
    """Bring what was made of a picture at another size back to its size.

    Args:
        stylized: what was made of ``seen``; mode "RGB", as the others.
        seen: the photo at that size.
        photo: the photo.
    Returns:
        The size of ``photo``. Where it was enlarged, it has the fine light and dark of the photo
        that ``seen`` does not hold.
    """
    if seen.width > photo.width:
        return stylized.resize(photo.size, Image.Resampling.LANCZOS)
    result = Image.new("RGB", photo.size)
    scale = (seen.width / photo.width, seen.height / photo.height)
    for box in _bands(photo):
        left, top, right, bottom = box
        source = (left * scale[0], top * scale[1], right * scale[0], bottom * scale[1])
        size = (right - left, bottom - top)
        bicubic = Image.Resampling.BICUBIC
        enlarged = stylized.resize(size, bicubic, box=source)
        blurred = seen.resize(size, bicubic, box=source).convert("L")
        lost = np.asarray(photo.crop(box).convert("L"), np.int16) - np.asarray(blurred, np.int16)
        sharp = (np.asarray(enlarged, np.int16) + lost[:, :, None]).clip(0, 255)
        result.paste(Image.fromarray(sharp.astype(np.uint8)), box[:2])
    return result


def _in_bands(
    change: Callable[..., Image.Image], stylized: Image.Image, *others: Image.Image
) -> None:
    """Replace a picture by what is made of it and others of its size, in place."""
    for box in _bands(stylized):
        stylized.paste(change(*(each.crop(box) for each in (stylized, *others))), box[:2])


def _bands(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of a picture's whole width, from the top down."""
    for top in range(0, image.height, BAND_PX):
        yield 0, top, image.width, min(top + BAND_PX, image.height)
