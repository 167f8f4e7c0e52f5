"""Pictures made on the spot."""

import numpy as np
from numpy.typing import NDArray


def natural_frames(shape: tuple[int, int, int], *, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures with the falling spectrum of photos: noise at several scales.

    Args:
        shape: batch, height, width.
        seed: the same seed gives the same pictures.
    Returns:
        (N, H, W, 3), uint8, RGB.
    """
    batch, height, width = shape
    rng = np.random.default_rng(seed)
    total = np.zeros((batch, height, width, 3))
    for scale in (1, 4, 16, 64):
        rows, columns = -(-height // scale), -(-width // scale)
        noise = rng.normal(size=(batch, rows, columns, 3))
        total += scale**0.5 * noise.repeat(scale, 1).repeat(scale, 2)[:, :height, :width]
    return (128 + 8 * total).clip(0, 255).astype(np.uint8)
