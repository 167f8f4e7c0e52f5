"""Frames in another size."""

import cv2

from nst.infer.engine.frames import Frame


def resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """Scale a frame.

    Args:
        frame: (H, W, 3), uint8, RGB.
        size: width and height to give it.
    Returns:
        The same array if it has that size.
    """
    height, width = frame.shape[:2]
    if size == (width, height):
        return frame
    way = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
    return cv2.resize(frame, size, interpolation=way)  # type: ignore[return-value]
