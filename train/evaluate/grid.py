"""Grids: what transposed convolutions and sub-pixel heads leave in flat parts of a picture.

A grid of period p has its energy at the multiples of 1 / p of the sampling rate, in both
directions, and nowhere else. The spectrum of brush strokes is smooth there. So the measure is how
far these points of the spectrum stand out from what lies around them, beside the photo's own,
which has some from its JPEG blocks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PERIODS = (2, 4, 8)
BLOCK_PX = 64
STEP_PX = 32
FLAT_SHARE = 0.25
MIN_SIDE_PX = BLOCK_PX
PEAK_BINS = 1
"""A Hann window spreads a line of the spectrum over its neighbours."""
RING_BINS = (3, 5)
"""What counts as around a point: near enough for the same strokes, clear of the peak."""

Plane = NDArray[np.float64]


class GridEnergy(NamedTuple):
    """How many times as much a picture stands out at the points of a grid as its photo does.

    1 is no grid. ``by_period`` is for 2, 4 and 8 px, ``total`` over all points.
    """

    total: float
    by_period: dict[int, float]


def grid_energy(stylized: Plane, photo: Plane) -> GridEnergy:
    """Compare two pictures.

    Args:
        stylized: luminance, (H, W), sides at least 64 px.
        photo: the same size. Where it is flat is looked at in both.
    Raises:
        ValueError: if they are smaller, or differ in size.
    """
    if stylized.shape != photo.shape or min(photo.shape) < MIN_SIDE_PX:
        raise ValueError(f"sizes {stylized.shape} and {photo.shape}: equal, and at least 64x64")
    corners = flat_blocks(photo)
    of_stylized, of_photo = (spectrum(plane, corners) for plane in (stylized, photo))
    points = {period: lattice(period) for period in PERIODS}
    everything = [point for group in points.values() for point in group]
    return GridEnergy(
        prominence(of_stylized, everything) / prominence(of_photo, everything),
        {p: prominence(of_stylized, g) / prominence(of_photo, g) for p, g in points.items()},
    )


def flat_blocks(photo: Plane) -> list[tuple[int, int]]:
    """Top left corners of the quarter of all blocks in which the photo varies least."""
    height, width = photo.shape
    corners = [
        (top, left)
        for top in range(0, height - BLOCK_PX + 1, STEP_PX)
        for left in range(0, width - BLOCK_PX + 1, STEP_PX)
    ]
    corners.sort(key=lambda corner: float(block(photo, corner).std()))
    return corners[: max(1, round(FLAT_SHARE * len(corners)))]


def block(plane: Plane, corner: tuple[int, int]) -> Plane:
    """(64, 64) at a corner."""
    top, left = corner
    return plane[top : top + BLOCK_PX, left : left + BLOCK_PX]


def spectrum(plane: Plane, corners: list[tuple[int, int]]) -> Plane:
    """Power, (64, 64), averaged over blocks; frequency 0 at [0, 0]."""
    window = np.hanning(BLOCK_PX + 1)[:-1]
    window = np.outer(window, window)
    power = np.zeros((BLOCK_PX, BLOCK_PX))
    for corner in corners:
        part = block(plane, corner)
        power += np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
    # Rounding to bytes is noise of this power; without it a flat picture divides 0 by 0.
    floor = (window**2).sum() * (1 / 255) ** 2 / 12
    mean: Plane = power / len(corners) + floor
    return mean


def lattice(period: int) -> list[tuple[int, int]]:
    """Points of the spectrum at which a grid of this period has energy and no finer one has.

    Half of them: a real picture has the same power at -f as at f.
    """
    step = BLOCK_PX // period
    finer = 2 * step
    points = set()
    for row in range(0, BLOCK_PX, step):
        for column in range(0, BLOCK_PX, step):
            if row % finer == 0 and column % finer == 0:
                continue
            mirrored = (-row % BLOCK_PX, -column % BLOCK_PX)
            points.add(min((row, column), mirrored))
    return sorted(points)


def prominence(power: Plane, points: list[tuple[int, int]]) -> float:
    """Power at points beside the median power around them, the mean over the points."""
    ratios = []
    for row, column in points:
        peak = around(power, row, column, 0, PEAK_BINS)
        ring = around(power, row, column, *RING_BINS)
        ratios.append(float(peak.mean() / np.median(ring)))
    return float(np.mean(ratios))


def around(power: Plane, row: int, column: int, inner: int, outer: int) -> Plane:
    """Values whose larger distance, in rows or columns, is from ``inner`` to ``outer``."""
    reach = np.arange(-outer, outer + 1)
    rows, columns = np.meshgrid(reach, reach, indexing="ij")
    chosen = np.maximum(np.abs(rows), np.abs(columns)) >= inner
    values: Plane = power[(row + rows) % BLOCK_PX, (column + columns) % BLOCK_PX][chosen]
    return values
