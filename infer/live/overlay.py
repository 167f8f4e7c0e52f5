"""Text laid on a picture that is shown."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from nst.infer.engine.frames import Frame

LINES_IN_HEIGHT = 32
SMALLEST_FONT_PX = 11
PADDING = 0.5
"""Around the text, as a share of the size of the font."""

Corner = Literal["top left", "bottom left"]


def draw_text(picture: Frame, lines: Sequence[str], corner: Corner) -> None:
    """Draw white text on darkened ground.

    Args:
        picture: (H, W, 3), uint8; it is changed.
        lines: none draws nothing. What does not fit is cut off.
        corner: of the picture.
    """
    if not lines:
        return
    height, width = picture.shape[:2]
    text = _white_text(tuple(lines), max(SMALLEST_FONT_PX, height // LINES_IN_HEIGHT))
    text = text[:height, :width]
    rows, columns = text.shape[:2]
    top = height - rows if corner == "bottom left" else 0
    ground = picture[top : top + rows, :columns]
    np.maximum(ground // 4, text, out=ground)


@lru_cache(maxsize=8)
def _white_text(lines: tuple[str, ...], font_px: int) -> NDArray[np.uint8]:
    """White text on black, (H, W, 3)."""
    font = ImageFont.load_default(font_px)
    text = "\n".join(lines)
    padding = round(PADDING * font_px)
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    _, _, right, bottom = ruler.multiline_textbbox((padding, padding), text, font)
    mask = Image.new("RGB", (round(right) + padding, round(bottom) + padding))
    ImageDraw.Draw(mask).multiline_text((padding, padding), text, "white", font)
    return np.array(mask)
