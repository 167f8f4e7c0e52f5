import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from nst.infer import UserError
from nst.infer.live.camera import Camera, why_no_camera

RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)  # OpenCV has blue first


class FakeDevice:
    """A camera behind ``cv2.VideoCapture``."""

    def __init__(self, frames: int, fps: float) -> None:
        self.frames, self.fps = frames, fps
        self.asked: list[tuple[int, float]] = []
        self.released = self.raises = False

    def read(self) -> tuple[bool, Any]:
        self.frames -= 1
        if self.raises and self.frames < 0:
            raise cv2.error("can't grab frame")
        return (True, RED) if self.frames >= 0 else (False, None)

    def set(self, wish: int, value: float) -> bool:
        self.asked.append((wish, value))
        return True

    def get(self, wish: int) -> float:
        return self.fps if wish == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        self.released = True


Plug = Callable[..., FakeDevice]


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plug:
    """Make a camera that gives so many frames; devices are files in the folder dev."""
    monkeypatch.setattr("nst.infer.live.camera.DEVICES", tmp_path / "dev")
    (tmp_path / "dev").mkdir()

    def plug(frames: int, fps: float = 30.0) -> FakeDevice:
        device = FakeDevice(frames, fps)
        monkeypatch.setattr("nst.infer.live.camera.cv2.VideoCapture", lambda *given: device)
        return device

    return plug


def test_frames_are_rgb_and_know_when_they_came(plug_in: Plug) -> None:
    device = plug_in(2)
    before = time.monotonic()
    camera = Camera(0)
    first, second = camera.read(), camera.read()
    assert first.pixels[0, 0].tolist() == [255, 0, 0]
    assert before <= first.time_s <= second.time_s <= time.monotonic()
    assert camera.fps == 30
    assert device.asked == []
    camera.close()
    assert device.released


def test_size_and_rate_are_asked_for(plug_in: Plug) -> None:
    device = plug_in(1)
    Camera(0, size=(1280, 720), fps=60)
    assert dict(device.asked) == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 60,
    }
    assert device.asked[0][0] == cv2.CAP_PROP_FOURCC  # the sizes there are depend on it


def test_a_camera_that_does_not_say_its_rate(plug_in: Plug) -> None:
    plug_in(1, fps=-1.0)
    assert Camera(0).fps == 0


@pytest.mark.parametrize("raises", [False, True])
def test_unplugged(plug_in: Plug, raises: bool) -> None:
    plug_in(1).raises = raises
    camera = Camera(0)
    camera.read()
    with pytest.raises(UserError, match="camera 0 gives no more frames: is it still plugged in"):
        camera.read()


@pytest.mark.parametrize(
    ("number", "there", "message"),
    [
        (0, [], "there is no camera: .*/video.* is missing; plug one in"),
        (3, ["video0", "video1"], "there is no camera 3, .*video3 is missing: there is .*video0, "),
        (0, ["video0"], "camera 0 gives no frames: close other programs that use .*video0"),
    ],
)
def test_why_there_is_none(
    plug_in: Plug,
    tmp_path: Path,
    number: int,
    there: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    device = plug_in(0)
    for name in there:
        (tmp_path / "dev" / name).touch()
    with pytest.raises(UserError, match=message):
        Camera(number)
    assert device.released


def test_no_permission(plug_in: Plug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    plug_in(0)
    (tmp_path / "dev" / "video0").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UserError, match=r"no permission to use .*video0: sudo usermod -aG video"):
        Camera(0)


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "privacy settings" in why_no_camera(0)


def test_opencv_prints_nothing_about_a_camera_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nst.infer.live.camera.DEVICES", tmp_path)
    with pytest.raises(UserError):
        Camera(99)
    assert capfd.readouterr() == ("", "")
