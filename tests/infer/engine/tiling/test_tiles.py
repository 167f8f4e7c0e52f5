import numpy as np
import pytest

from nst.infer.engine.tiling.tiles import GRID_PX, Tile, cut, sample

SIZES = [(1, 1), (16, 300), (513, 512), (1000, 37), (300, 290)]


@pytest.mark.parametrize("size", SIZES)
def test_tiles_cover_a_picture_once(size: tuple[int, int]) -> None:
    width, height = size
    seen = np.zeros((height, width), int)
    for (left, top, right, bottom), _ in cut(width, height, side=100, overlap=20):
        seen[top:bottom, left:right] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("size", SIZES)
def test_what_a_tile_sees_begins_on_the_grid(size: tuple[int, int]) -> None:
    width, height = size
    for inner, outer in cut(width, height, side=100, overlap=20):
        assert outer.left % GRID_PX == outer.top % GRID_PX == 0
        assert outer.right == width or outer.right % GRID_PX == 0
        assert outer.left in (0, inner.left - 32)
        assert outer.bottom in (height, inner.bottom + 32)


def test_the_place_of_a_tile_in_what_it_sees() -> None:
    tile = next(tile for tile in cut(500, 500, side=128, overlap=16) if tile.inner.left == 256)
    rows, columns = tile.place_of_inner()
    assert (rows.start, rows.stop) == (0, 128)
    assert (columns.start, columns.stop) == (16, 144)


def test_a_sample_is_everything_where_that_fits() -> None:
    assert sample(500, 300, side=128, overlap=16, most_pixels=10**6) == cut(
        500, 300, side=128, overlap=16
    )


def test_a_sample_is_spread_evenly() -> None:
    tiles = sample(6400, 6400, side=64, overlap=16, most_pixels=6400 * 6400 // 8)
    assert sum(tile.outer.pixels for tile in tiles) <= 6400 * 6400 // 8
    counts = np.zeros((8, 8), int)
    for inner, _ in tiles:
        counts[inner.top // 800, inner.left // 800] += 1
    assert counts.min() >= 0.5 * counts.mean()
    assert counts.max() <= 1.5 * counts.mean()


def test_a_sample_is_one_tile_at_least() -> None:
    tiles: list[Tile] = sample(640, 640, side=64, overlap=16, most_pixels=1)
    assert len(tiles) == 1
