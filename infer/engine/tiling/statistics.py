"""The statistics that the instance norms of a network have on a picture, found tile by tile.

Every norm answers to those before it, so they are found in turn. All tiles go through the graph
together, from norm to norm, and wait there until the statistics over all of them are known. What is
found so is what the picture as a whole would give, but for rounding, where the tiles cover it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst.infer.engine.tiling.surgery import ChannelStatistics, StagedGraph
from nst.infer.engine.tiling.tiles import Tile

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Run: TypeAlias = Callable[[Arrays], list[NDArray[Any]]]


def measure_statistics(
    graph: StagedGraph,
    tiles: Sequence[Tile],
    size: tuple[int, int],
    *,
    read: Callable[[Tile], Arrays],
    open_stage: Callable[[bytes, Sequence[str]], Run],
    on_tile: Callable[[Tile], None],
) -> list[ChannelStatistics]:
    """Find the statistics of all norms of a graph.

    Args:
        graph: whose norms are asked for.
        tiles: of the picture, all or some.
        size: width and height of the picture in pixels.
        read: gives the inputs of the graph for ``outer`` of a tile.
        open_stage: makes a serialised part of the graph and the names of its outputs into a
            function of its inputs.
        on_tile: is called for each tile and norm that is done.
    Returns:
        One per norm of ``graph.norms``.
    """
    found: list[ChannelStatistics] = []
    held: list[Arrays] = [{} for _ in tiles]
    for number, norm in enumerate(graph.norms):
        moments = Moments()
        kept = graph.needed_after(number)
        example = held[0] if number else read(tiles[0])
        stage, names = graph.stage(number, example, found[-1] if found else None)
        run = open_stage(stage, names)
        for index, tile in enumerate(tiles):
            given = held[index] if number else read(tile)
            # Copied: what a session gives stays in its arena, and keeps all of that.
            new = {name: array.copy() for name, array in zip(names, run(given), strict=True)}
            held[index] = {name: new[name] if name in new else given[name] for name in kept}
            moments.add(_own_part(held[index][norm.input[0]], tile, size))
            on_tile(tile)
        found.append(moments.statistics())
    return found


class Moments:
    """Mean and variance per channel of what comes in parts."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: NDArray[np.float64] = np.zeros(1)
        self.squares: NDArray[np.float64] = np.zeros(1)

    def add(self, part: NDArray[Any]) -> None:
        """Take (C, H, W) in.

        Source:
            Chan, Golub and LeVeque 1983, "Algorithms for Computing the Sample Variance".
        """
        values = part.astype(np.float32, copy=False).reshape(len(part), -1)
        count = values.shape[1]
        mean = values.mean(axis=1, keepdims=True)
        centred = values - mean
        squares = np.einsum("cp,cp->c", centred, centred).astype(np.float64)
        apart = mean[:, 0].astype(np.float64) - self.mean
        both = self.count + count
        self.mean = self.mean + apart * (count / both)
        self.squares = self.squares + squares + apart**2 * (self.count * count / both)
        self.count = both

    def statistics(self) -> ChannelStatistics:
        """What all parts together have."""
        variance = self.squares / self.count
        return ChannelStatistics(self.mean.astype(np.float32), variance.astype(np.float32))


def _own_part(features: NDArray[Any], tile: Tile, size: tuple[int, int]) -> NDArray[Any]:
    """(1, C, H, W) of ``outer`` to (C, H', W') of ``inner``."""
    inner, outer = tile
    rows = _cells(outer.top, outer.bottom, inner.top, inner.bottom, size[1], features.shape[2])
    columns = _cells(outer.left, outer.right, inner.left, inner.right, size[0], features.shape[3])
    part: NDArray[Any] = features[0, :, rows, columns]
    return part


def _cells(
    outer_start: int, outer_end: int, start: int, end: int, length: int, cells: int
) -> slice:
    """Where a span of pixels lies among the cells of a larger one.

    Features may have a ring around the picture, of padding that is not used up yet. It counts in
    the norms, so it belongs to the tiles at the border.
    """
    pixels = outer_end - outer_start
    cell = 2 ** round(math.log2(pixels / cells))
    ring = (cells - math.ceil(pixels / cell)) // 2
    first = 0 if start == 0 else ring + (start - outer_start) // cell
    last = cells if end == length else ring + (end - outer_start) // cell
    return slice(first, last)
