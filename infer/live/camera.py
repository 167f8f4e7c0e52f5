"""A camera as a source of frames."""

import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from nst.infer.errors import UserError
from nst.infer.video.protocol import TimedFrame

DEVICES = Path("/dev")

Size = tuple[int, int]


class Camera:
    """A camera that OpenCV finds.

    Args:
        number: 0 is the first one.
        size: width and height to ask for; the camera may choose others. None leaves it as it is.
        fps: frames per second to ask for.
    Attributes:
        fps: what the camera says it gives, 0 if it does not say.
    Raises:
        UserError: if it cannot be opened or gives no frame; it says what to try.
    """

    def __init__(self, number: int, *, size: Size | None = None, fps: float | None = None) -> None:
        self.number = number
        # OpenCV prints several lines about a camera that is not there.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._device = cv2.VideoCapture(number, _backend())
        self._ask(size, fps)
        self._first = self._grab()
        if self._first is None:
            self.close()
            raise UserError(why_no_camera(number))
        self.fps: float = max(0.0, self._device.get(cv2.CAP_PROP_FPS))

    def read(self) -> TimedFrame:
        """The next frame, with the time at which it came.

        Raises:
            UserError: if there is none.
        """
        frame, self._first = self._first or self._grab(), None
        if frame is None:
            raise UserError(f"camera {self.number} gives no more frames: is it still plugged in?")
        return frame

    def close(self) -> None:
        """Let other programs have the camera."""
        self._device.release()

    def _grab(self) -> TimedFrame | None:
        try:
            there, picture = self._device.read()
        except cv2.error:  # some systems tell a camera that is gone this way
            return None
        now_s = time.monotonic()
        if not there:
            return None
        return TimedFrame(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8), now_s)

    def _ask(self, size: Size | None, fps: float | None) -> None:
        wishes: list[tuple[int, float]] = []
        if size is not None:
            # Uncompressed, large pictures do not get through USB at full speed.
            wishes.append((cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")))
            wishes.append((cv2.CAP_PROP_FRAME_WIDTH, size[0]))
            wishes.append((cv2.CAP_PROP_FRAME_HEIGHT, size[1]))
        if fps is not None:
            wishes.append((cv2.CAP_PROP_FPS, fps))
        for wish, value in wishes:
            self._device.set(wish, value)


def why_no_camera(number: int) -> str:
    """Why a camera cannot be used, and what to try, as one line."""
    if sys.platform != "linux":
        return (
            f"camera {number} gives no frames: is it plugged in, does another program use it, do "
            "the privacy settings of the system allow it?"
        )
    device = DEVICES / f"video{number}"
    if device.exists():
        if not os.access(device, os.R_OK | os.W_OK):
            return f"no permission to use {device}: sudo usermod -aG video $USER, then log in again"
        return f"camera {number} gives no frames: close other programs that use {device}"
    others = sorted(DEVICES.glob("video[0-9]*"))
    if others:
        return f"there is no camera {number}, {device} is missing: there is {_listed(others)}"
    return (
        f"there is no camera: {DEVICES}/video* is missing; plug one in, let the container or "
        "virtual machine have it, or give a video file in its place"
    )


def _listed(devices: list[Path]) -> str:
    return ", ".join(str(device) for device in devices)


def _backend() -> int:
    # The others would try to find the number among files.
    return cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
