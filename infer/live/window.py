"""A window that shows frames and hears keys."""

import os
import sys
from collections.abc import Sequence

import cv2
from cv2.typing import MatLike

from nst.infer.errors import UserError
from nst.infer.video.protocol import TimedFrame

QUIT_KEY = "q"

WIDEST_PX = 1600
"""A window of a larger picture opens as wide as this, which most screens hold."""

KEY_BITS = 0xFFFF
"""Of a code; above are Shift, Num Lock and the like."""

OTHER_KEYS = {0xFFAB: "+", 0xFFAD: "-", 0xFF1B: "\x1b"}
"""Keys whose codes are no characters: those of the number pad, and Esc."""

_ELSEWHERE = "or use --no-window with --record FILE or --virtual-camera"


class Window:
    """A window of OpenCV. To be used in the main thread alone.

    Args:
        title: also its name.
    Raises:
        UserError: if there is no display, or this OpenCV has no windows.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._size = (0, 0)
        self._full_screen = self._closed = False
        self._key = ""
        if sys.platform == "linux" and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            raise UserError(f"there is no display: set DISPLAY, {_ELSEWHERE}")
        try:
            cv2.namedWindow(title, cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise UserError(
                "this OpenCV has no windows: pip uninstall opencv-python-headless, then "
                f"pip install --force-reinstall opencv-python, {_ELSEWHERE}"
            ) from error

    def write(self, frame: TimedFrame) -> None:
        """Show a frame. One of another shape than the last gives the window its size."""
        if self._closed:
            return
        height, width = frame.pixels.shape[:2]
        if (width, height) != self._size:
            self._size = width, height
            scale = min(1.0, WIDEST_PX / width)
            if not self._full_screen:
                cv2.resizeWindow(self._title, round(scale * width), round(scale * height))
        picture = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2BGR)
        cv2.imshow(self._title, framed(picture, cv2.getWindowImageRect(self._title)[2:]))
        self._poll()

    def key(self) -> str:
        """The key that was pressed, "" if none was; one that quits if the window was closed."""
        if not self._key:
            self._poll()
        key, self._key = self._key, ""
        return key

    def _poll(self) -> None:
        """Let the window draw itself and hear its keys."""
        code = cv2.pollKey()
        if code >= 0:
            code &= KEY_BITS
            # Arrows and the like are 0xFF51 and so on: their last byte is a letter by chance.
            self._key = chr(code) if code < 0x100 else OTHER_KEYS.get(code, "")
        if self._size[0] and not self._is_there():
            self._closed = True
        if self._closed:
            self._key = QUIT_KEY

    def _is_there(self) -> bool:
        try:
            return cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # with Qt there is nothing left to ask
            return False

    def toggle_full_screen(self) -> None:
        """Fill the screen, or go back to a window."""
        self._full_screen = not self._full_screen
        state = cv2.WINDOW_FULLSCREEN if self._full_screen else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, state)

    def close(self) -> None:
        """Close it. May be called more than once."""
        if not self._closed:
            self._closed = True
            cv2.destroyWindow(self._title)


def framed(picture: MatLike, window: Sequence[int]) -> MatLike:
    """Put black bars beside a picture, so that filling the window does not stretch it.

    Args:
        picture: (H, W, 3).
        window: width and height; a window that is not there yet has none, and leaves it as it is.
    """
    height, width = picture.shape[:2]
    wide, high = window
    if wide <= 0 or high <= 0:
        return picture
    across = max(0, round(height * wide / high) - width)
    down = max(0, round(width * high / wide) - height)
    top, left = down // 2, across // 2
    return cv2.copyMakeBorder(
        picture, top, down - top, left, across - left, cv2.BORDER_CONSTANT, value=(0, 0, 0)
    )
