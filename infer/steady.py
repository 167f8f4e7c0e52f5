"""Calm for the parts of a video that stand still."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from nst.infer.engine.frames import Frame

MOST_KEPT = 0.92
"""Of the picture before, at full amount where nothing moves: an average over some 12 frames."""

STILL, MOVING = 2.0, 5.0
"""Differences of brightness in levels of 255, at half the size, on average over a cell. Below the
first is the noise of a camera, above the second is movement."""

HALF, CELL = 2, 4
"""A picture is compared at half its size, in cells of 4x4 of these pixels: 8x8 of the picture."""

BAND_PX = 32
"""Rows that are averaged at a time, so that they stay in the processor's cache."""


class Steadier:
    """Averages stylized frames over time where the frames they were made from stand still.

    A network answers with strokes that flicker to noise that nobody sees and to what moves
    elsewhere. What moves, and 8 px around it, is left as it is: an average over moving pixels would
    smear.

    Args:
        amount: 0 leaves all frames as they are, 1 keeps most of the frame before.
    Raises:
        ValueError: if the amount is out of range.
    """

    def __init__(self, amount: float) -> None:
        if not 0 <= amount <= 1:
            raise ValueError(f"the amount must be from 0 to 1, got {amount}")
        self._kept = amount * MOST_KEPT
        self._shown: npt.NDArray[np.float32] | None = None
        self._seen: npt.NDArray[np.float32] | None = None

    def __call__(self, seen: Frame, stylized: Frame) -> Frame:
        """Steady one frame; frames come in their order.

        Args:
            seen: (H, W, 3), uint8, RGB: the frame before it was stylized.
            stylized: the same size. A change of size begins anew.
        Returns:
            The same size.
        """
        if self._kept == 0:
            return stylized
        brightness = Image.fromarray(seen).convert("L").reduce(HALF)
        now = np.asarray(brightness, np.float32)
        if self._seen is None or self._shown is None or self._shown.shape != stylized.shape:
            self._seen, self._shown = now, stylized.astype(np.float32)
            return stylized
        kept = self._share_to_keep(now, self._seen)
        kept = kept.resize(brightness.size, Image.Resampling.BILINEAR)
        self._seen = now + np.asarray(kept, np.float32) / 255 * (self._seen - now)
        full = kept.resize(stylized.shape[1::-1], Image.Resampling.NEAREST)
        return average(self._shown, stylized, np.asarray(full))

    def _share_to_keep(
        self, now: npt.NDArray[np.float32], before: npt.NDArray[np.float32]
    ) -> Image.Image:
        """How much of the picture before is kept in each cell, 255 is all of it."""
        difference = Image.fromarray(np.abs(now - before)).reduce(CELL)
        moved = np.asarray(difference, np.float32)
        still = np.clip((MOVING - moved) / (MOVING - STILL), 0, 1)
        kept = Image.fromarray(np.uint8(still * self._kept * 255))
        return kept.filter(ImageFilter.MinFilter(3))


def average(shown: npt.NDArray[np.float32], stylized: Frame, kept: npt.NDArray[np.uint8]) -> Frame:
    """Keep a share of what was shown, in place: bytes would never come all the way to a new value.

    Args:
        shown: (H, W, 3), levels from 0 to 255; becomes what is shown now.
        stylized: (H, W, 3).
        kept: (H, W), 255 keeps all of it.
    Returns:
        (H, W, 3), what is shown now.
    """
    result = np.empty_like(stylized)
    for top in range(0, len(result), BAND_PX):
        band = slice(top, top + BAND_PX)
        share = np.repeat(kept[band].astype(np.float32) / 255, 3, axis=1).reshape(shown[band].shape)
        now = stylized[band].astype(np.float32)
        shown[band] = (shown[band] - now) * share + now
        result[band] = shown[band] + 0.5  # rounded, as casting cuts off
    return result
