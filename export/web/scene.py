"""A drawn landscape. Every style paints it, so that the page can show what the style does."""

import numpy as np
from numpy.typing import NDArray

HEIGHT_PX, WIDTH_PX = 240, 360
HORIZON = 0.62
"""Share of the height above the water."""


def landscape() -> NDArray[np.uint8]:
    """Sky with clouds and a low sun, three ridges, and water that mirrors them.

    Returns:
        (240, 360, 3), uint8, RGB; always the same.
    """
    rng = np.random.default_rng(7)
    sky_rows = round(HEIGHT_PX * HORIZON)
    y, x = np.mgrid[0:sky_rows, 0:WIDTH_PX] / np.array([sky_rows, WIDTH_PX])[:, None, None]
    land = mix(colour(0.30, 0.47, 0.72), colour(0.98, 0.80, 0.55), y**1.5)
    land = mix(land, colour(1.0, 0.95, 0.86), 0.8 * clouds(rng, sky_rows))
    away = np.hypot((x - 0.30) * WIDTH_PX / HEIGHT_PX, y - 0.44)
    land = mix(land, colour(1.0, 0.93, 0.70), np.clip(1.25 - away / 0.09, 0, 1))
    land = mix(land, colour(1.0, 0.85, 0.55), 0.6 * np.exp(-((away / 0.25) ** 2)))
    for depth, tint in enumerate(
        (colour(0.45, 0.52, 0.66), colour(0.27, 0.38, 0.46), colour(0.13, 0.25, 0.22))
    ):
        waves = np.sin(x * (9 + 5 * depth) + 2.1 * depth) + 0.5 * np.sin(x * (23 - 4 * depth) + 1)
        ridge = 0.62 + 0.13 * depth + (0.11 - 0.025 * depth) * waves
        land = mix(land, tint * (0.85 + 0.3 * clouds(rng, sky_rows)[..., None]), y > ridge)
    rows = np.linspace(sky_rows - 1, 0.35 * sky_rows, HEIGHT_PX - sky_rows).astype(int)
    water = mix(land[rows], colour(0.16, 0.30, 0.42), np.full((*rows.shape, WIDTH_PX), 0.3))
    water += 0.05 * np.sin(np.arange(len(rows)) ** 0.8 * 1.9)[:, None, None]
    picture = np.concatenate([land, water]) + rng.normal(0, 0.012, (HEIGHT_PX, WIDTH_PX, 3))
    return (255 * picture).clip(0, 255).astype(np.uint8)


def colour(red: float, green: float, blue: float) -> NDArray[np.float64]:
    """(3,), 0 to 1."""
    return np.array([red, green, blue])


def mix(
    below: NDArray[np.float64], above: NDArray[np.float64], share: NDArray[np.float64 | np.bool_]
) -> NDArray[np.float64]:
    """Lay one picture or colour over another; ``share`` (H, W) is how much of it is seen."""
    mixed: NDArray[np.float64] = below + (above - below) * share[..., None]
    return mixed


def clouds(rng: np.random.Generator, rows: int) -> NDArray[np.float64]:
    """Soft noise, wider than high: (rows, WIDTH_PX), 0 to 1."""
    total = np.zeros((rows, WIDTH_PX))
    for scale in (6, 12, 24, 48):
        grid = rng.random((rows // scale + 3, WIDTH_PX // (2 * scale) + 3))
        total += scale**0.7 * stretch(stretch(grid, scale, rows).T, 2 * scale, WIDTH_PX).T
    low, high = np.percentile(total, (45, 97))
    share: NDArray[np.float64] = ((total - low) / (high - low)).clip(0, 1)
    return share


def stretch(grid: NDArray[np.float64], scale: int, length: int) -> NDArray[np.float64]:
    """Enlarge the first axis smoothly to ``length``."""
    at = np.arange(length) / scale
    left = at.astype(int)
    share = (1 - np.cos(np.pi * (at - left)))[:, None] / 2
    stretched: NDArray[np.float64] = grid[left] * (1 - share) + grid[left + 1] * share
    return stretched
