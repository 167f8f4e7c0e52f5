"""Finding out by measurement whether a float graph works in 0-255 or in 0-1."""

import numpy as np
from numpy.typing import NDArray

from nst.infer.engine.graph import ImageGraph
from nst.infer.engine.metadata import BYTE_RANGE, UNIT_RANGE, ValueRange
from nst.infer.errors import UserError

PROBE_SIZE_PX = 64


def measure_value_range(graph: ImageGraph) -> ValueRange:
    """Give the graph a picture in 0-255 and look at what comes back.

    Args:
        graph: float32 (N, 3, H, W).
    Returns:
        (0, 255) if the result spreads over bytes, (0, 1) if it stays near that range.
    Raises:
        UserError: if it does neither, or the graph cannot be run.
    """
    height = graph.fixed_height or PROBE_SIZE_PX
    width = graph.fixed_width or PROBE_SIZE_PX
    stylized = graph.run(probe_image(height, width))
    low, middle, high = np.percentile(stylized, (1, 50, 99))
    if low >= -0.5 and high <= 1.5:
        return UNIT_RANGE
    # The middle guards against a 0-1 graph that only follows its input: 1 - x gives about -127.
    if np.percentile(np.abs(stylized), 95) > 8 and -64 <= middle <= 320:
        return BYTE_RANGE
    raise UserError(
        f"cannot tell the pixel range of {graph.model} (a picture in 0-255 became "
        f"{low:.3g} to {high:.3g}): pass --range 0-1 or --range 0-255"
    )


def probe_image(height: int, width: int) -> NDArray[np.float32]:
    """A fixed picture with the spread of a photo: a slow gradient per channel and some texture.

    Args:
        height: >= 1.
        width: >= 1.
    Returns:
        (1, 3, height, width), 0 to 255.
    """
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    down, right = y / height, x / width
    texture = 0.15 * np.sin(x * 0.9) * np.sin(y * 0.7)
    channels = np.stack([right, down, 1 - (down + right) / 2]) * 0.7 + 0.15 + texture
    batch: NDArray[np.float32] = (channels[None] * 255).clip(0, 255).astype(np.float32)
    return batch
