"""What the window shows around a stylized frame, and what its keys do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import cv2
import numpy as np

from nst.infer.engine.frames import Frame
from nst.infer.live.overlay import draw_text


class Action(Enum):
    """What a key does, in the words that are shown beside it."""

    NEXT_STYLE = "next style"
    PREVIOUS_STYLE = "previous style"
    STRONGER = "stronger"
    WEAKER = "weaker"
    ORIGINAL = "original beside"
    MIRROR = "mirror"
    SNAPSHOT = "snapshot"
    RECORD = "record on, off"
    FULL_SCREEN = "full screen"
    KEYS = "these keys"
    QUIT = "quit"


KEYS = {
    "n": Action.NEXT_STYLE,
    "p": Action.PREVIOUS_STYLE,
    "+": Action.STRONGER,
    "-": Action.WEAKER,
    "o": Action.ORIGINAL,
    "m": Action.MIRROR,
    "s": Action.SNAPSHOT,
    "r": Action.RECORD,
    "f": Action.FULL_SCREEN,
    "h": Action.KEYS,
    "q": Action.QUIT,
}
"""The keys that are shown."""

OTHER_KEYS = {"=": Action.STRONGER, "_": Action.WEAKER, "\x1b": Action.QUIT}
"""The plus and minus of many keyboards with and without Shift, and Esc."""


def action_of(key: str) -> Action | None:
    """What a key does, in capitals too; None for a key that does nothing."""
    return (KEYS | OTHER_KEYS).get(key.lower())


@dataclass
class View:
    """How a frame is shown.

    Attributes:
        mirror: left and right change places.
        original: the frame of the camera stands to the left of the stylized one.
        keys: the keys are listed.
    """

    mirror: bool = False
    original: bool = False
    keys: bool = True

    def toggle(self, name: Literal["mirror", "original", "keys"]) -> None:
        """Turn one of the attributes on or off."""
        setattr(self, name, not getattr(self, name))

    def compose(self, frame: Frame, stylized: Frame, readings: Sequence[str]) -> Frame:
        """The picture for the window, a new array.

        Args:
            frame: (H, W, 3), uint8, RGB.
            stylized: the same size.
            readings: lines for the corner.
        Returns:
            (H, W, 3), or (H, 2 W, 3) with the original.
        """
        pictures: list[Frame] = [frame, stylized] if self.original else [stylized]
        if self.mirror:
            pictures = [np.asarray(cv2.flip(each, 1), np.uint8) for each in pictures]
        picture = np.concatenate(pictures, axis=1)
        draw_text(picture, readings, "top left")
        if self.keys:
            # Esc is no letter that could be shown.
            lines = [f"{key}  {action.value}" for key, action in KEYS.items()]
            draw_text(picture, lines, "bottom left")
        return picture
