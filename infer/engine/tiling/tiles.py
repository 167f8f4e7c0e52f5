"""Cutting a picture into tiles that overlap."""

import math
from collections.abc import Iterator
from typing import NamedTuple

GRID_PX = 16
"""Tiles begin and end at multiples of this, or at the end of the picture: networks that halve their
input up to four times put the same pixels into one cell, in a tile as in the picture."""


class Box(NamedTuple):
    """A rectangle in pixels, without its right and lower end."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def pixels(self) -> int:
        """Its area."""
        return (self.right - self.left) * (self.bottom - self.top)


class Tile(NamedTuple):
    """A part of a picture, ``inner``, and what a network has to see to paint it, ``outer``."""

    inner: Box
    outer: Box

    def place_of_inner(self) -> tuple[slice, slice]:
        """Rows and columns of ``inner`` in a picture of ``outer``."""
        left, top = self.outer.left, self.outer.top
        return (
            slice(self.inner.top - top, self.inner.bottom - top),
            slice(self.inner.left - left, self.inner.right - left),
        )


def cut(width: int, height: int, *, side: int, overlap: int) -> list[Tile]:
    """All tiles of a picture, row by row.

    Args:
        width: of the picture, in pixels.
        height: of the picture.
        side: of a tile in pixels, rounded up to ``GRID_PX``.
        overlap: how far around a tile the network looks, in pixels, rounded up in the same way.
    """
    side, overlap = (math.ceil(length / GRID_PX) * GRID_PX for length in (side, overlap))
    return [
        Tile(Box(left, top, right, bottom), Box(outer_left, outer_top, outer_right, outer_bottom))
        for top, bottom, outer_top, outer_bottom in _spans(height, side, overlap)
        for left, right, outer_left, outer_right in _spans(width, side, overlap)
    ]


def _spans(length: int, side: int, overlap: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and end of each tile along one axis, without and with the overlap."""
    for start in range(0, length, side):
        end = min(start + side, length)
        yield start, end, max(0, start - overlap), min(length, end + overlap)


def sample(width: int, height: int, *, side: int, overlap: int, most_pixels: int) -> list[Tile]:
    """Tiles spread over a picture: all of them, or as many as have ``most_pixels`` with overlap.

    Args:
        width: of the picture, in pixels.
        height: of the picture.
        side: of a tile, as in ``cut``.
        overlap: as in ``cut``.
        most_pixels: of all ``outer`` together; one tile at least is taken.
    """
    tiles = cut(width, height, side=side, overlap=overlap)
    share = most_pixels / sum(tile.outer.pixels for tile in tiles)
    if share >= 1:
        return tiles
    columns = math.ceil(width / tiles[0].inner.right)
    # Roberts' R2 sequence: evenly spread in both directions, without a period.
    order = sorted(
        range(len(tiles)),
        key=lambda number: (0.7549 * (number // columns) + 0.5698 * (number % columns)) % 1,
    )
    chosen = order[: max(1, math.floor(share * len(tiles)))]
    return [tiles[number] for number in sorted(chosen)]


class Tiling(NamedTuple):
    """Into what a picture is cut.

    Attributes:
        tiles: how many; 1 for a picture that is run whole.
        measured: share of the picture, over 0 to 1, that the statistics of its norms come from.
    """

    tiles: int
    measured: float


WHOLE = Tiling(1, 1.0)
