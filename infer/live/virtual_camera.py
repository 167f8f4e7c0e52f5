"""A camera that other programs see."""

from importlib import import_module
from typing import Any

import numpy as np

from nst.infer.errors import UserError
from nst.infer.video.protocol import TimedFrame

USUAL_FPS = 30.0


class VirtualCamera:
    """Gives frames to other programs through pyvirtualcam. It starts with the first frame.

    Args:
        fps: frames per second that it says it has.
    Raises:
        UserError: if pyvirtualcam is not installed.
    """

    def __init__(self, fps: float = USUAL_FPS) -> None:
        self._fps = fps
        self._device: Any = None
        try:
            self._pyvirtualcam: Any = import_module("pyvirtualcam")
        except ModuleNotFoundError as error:
            raise UserError(
                "pyvirtualcam is not installed: pip install pyvirtualcam; on Linux it needs the "
                "kernel module v4l2loopback, elsewhere OBS"
            ) from error

    def write(self, frame: TimedFrame) -> None:
        """Send a frame.

        Raises:
            UserError: if there is no virtual camera, or it does not take frames of another size
                than the first.
        """
        height, width = frame.pixels.shape[:2]
        try:
            if self._device is None:
                self._device = self._pyvirtualcam.Camera(width, height, self._fps)
            self._device.send(np.ascontiguousarray(frame.pixels))
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"the virtual camera cannot be used: {error} (it needs v4l2loopback on Linux, OBS "
                "elsewhere)"
            ) from error

    def close(self) -> None:
        """Let go of it. May be called more than once."""
        if self._device is not None:
            self._device.close()
            self._device = None
