"""Turning frames upright, as the display matrix of a video says."""

from typing import Any, NamedTuple

import numpy as np

from nst.infer.engine.frames import Frame

DISPLAY_MATRIX = "DISPLAYMATRIX"


class Orientation(NamedTuple):
    """How a frame is brought upright: rows and columns are swapped first.

    Attributes:
        swapped: whether rows become columns.
        left_right: whether it is mirrored then from left to right.
        up_down: whether it is mirrored then from top to bottom.
    """

    swapped: bool = False
    left_right: bool = False
    up_down: bool = False

    def upright(self, pixels: Frame) -> Frame:
        """(H, W, 3), or (W, H, 3) if rows and columns are swapped; contiguous."""
        if self.swapped:
            pixels = pixels.transpose(1, 0, 2)
        if self.left_right:
            pixels = pixels[:, ::-1]
        if self.up_down:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def read_orientation(frame: Any) -> Orientation:
    """How a decoded frame of PyAV is to be shown; quarter turns and mirrors are known."""
    data = frame.side_data.get(DISPLAY_MATRIX)
    if data is None:
        return Orientation()
    # Row vectors are multiplied by it: x' = a x + c y, y' = b x + d y; y points down.
    a, b, _, c, d, *_ = np.frombuffer(data, np.int32).tolist()
    if abs(b) > abs(a):
        return Orientation(swapped=True, left_right=c < 0, up_down=b < 0)
    return Orientation(left_right=a < 0, up_down=d < 0)
