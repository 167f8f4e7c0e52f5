import sys
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from live_parts import grey_frames

from nst.infer import UserError
from nst.infer.live.virtual_camera import VirtualCamera


class FakeCamera:
    """What pyvirtualcam gives."""

    made: ClassVar[list["FakeCamera"]] = []

    def __init__(self, width: int, height: int, fps: float) -> None:
        self.form = (width, height, fps)
        self.sent: list[Any] = []
        self.closed = False
        FakeCamera.made.append(self)

    def send(self, pixels: Any) -> None:
        if pixels.shape[:2] != self.form[1::-1]:
            raise ValueError("unexpected frame shape")
        assert pixels.flags.c_contiguous
        self.sent.append(pixels)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeCamera]:
    monkeypatch.setattr(FakeCamera, "made", [])
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=FakeCamera))
    return FakeCamera.made


def test_frames_are_sent_as_they_are(made: list[FakeCamera]) -> None:
    sink = VirtualCamera(25)
    assert len(made) == 0
    frame = grey_frames([7])[0]
    sink.write(frame)
    sink.write(frame._replace(pixels=frame.pixels[:, ::-1]))
    (camera,) = made
    assert list(camera.form) == [64, 48, 25]
    assert len(camera.sent) == 2
    assert np.array_equal(camera.sent[0], frame.pixels)
    for _ in range(2):
        sink.close()
        assert camera.closed


def test_frames_of_another_size_are_refused(made: list[FakeCamera]) -> None:
    sink = VirtualCamera()
    sink.write(grey_frames([7])[0])
    with pytest.raises(UserError, match="the virtual camera cannot be used: unexpected frame"):
        sink.write(grey_frames([7], (32, 32))[0])


def test_no_virtual_camera_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise RuntimeError("no loopback device found")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=refuse))
    sink = VirtualCamera()
    with pytest.raises(UserError, match=r"cannot be used: no loopback .* \(it needs v4l2loopback"):
        sink.write(grey_frames([7])[0])
    sink.close()


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(UserError, match="pyvirtualcam is not installed: pip install pyvirtualcam"):
        VirtualCamera()
