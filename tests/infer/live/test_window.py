import sys
from typing import Any

import cv2
import numpy as np
import pytest
from live_parts import grey_frames

from nst.infer import UserError
from nst.infer.live.window import Window, framed
from nst.infer.video.protocol import TimedFrame


class Desktop:
    """What OpenCV's windows are made with, of which there is one."""

    def __init__(self) -> None:
        self.size = (0, 0)
        self.codes: list[int] = []
        self.pictures: list[Any] = []
        self.visible, self.full_screen, self.windows = 1.0, 0.0, 0
        self.has_windows, self.is_qt = True, False

    def namedWindow(self, title: str, flags: int) -> None:  # noqa: N802 # as in OpenCV
        if not self.has_windows:
            raise cv2.error("The function is not implemented")
        self.windows += 1

    def destroyWindow(self, title: str) -> None:  # noqa: N802
        self.windows -= 1

    def resizeWindow(self, title: str, width: int, height: int) -> None:  # noqa: N802
        self.size = (width, height)

    def getWindowImageRect(self, title: str) -> tuple[int, int, int, int]:  # noqa: N802
        return (3, 4, *self.size)

    def getWindowProperty(self, title: str, which: int) -> float:  # noqa: N802
        assert which == cv2.WND_PROP_VISIBLE
        if self.is_qt and not self.visible:
            raise cv2.error("NULL guiReceiver (please create a window)")
        return self.visible

    def setWindowProperty(self, title: str, which: int, value: float) -> None:  # noqa: N802
        assert which == cv2.WND_PROP_FULLSCREEN
        self.full_screen = value

    def imshow(self, title: str, picture: Any) -> None:
        self.pictures.append(picture)

    def pollKey(self) -> int:  # noqa: N802
        return self.codes.pop(0) if self.codes else -1


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    desktop = Desktop()
    monkeypatch.setenv("DISPLAY", ":1")
    for name in vars(Desktop):
        if not name.startswith("_"):
            monkeypatch.setattr(f"nst.infer.live.window.cv2.{name}", getattr(desktop, name))
    return desktop


def test_shows_blue_first_in_the_size_of_the_picture(desktop: Desktop) -> None:
    window = Window("test")
    red = np.full((48, 64, 3), (255, 0, 0), np.uint8)
    window.write(TimedFrame(red, 0.0))
    assert desktop.size == (64, 48)
    assert desktop.pictures[0].shape == (48, 64, 3)
    assert desktop.pictures[0][0, 0].tolist() == [0, 0, 255]
    assert red[0, 0].tolist() == [255, 0, 0]


def test_another_shape_resizes_the_window_but_not_the_screen(desktop: Desktop) -> None:
    window = Window("test")
    window.write(grey_frames([9], (64, 48))[0])
    desktop.size = (100, 48)  # by hand
    window.write(grey_frames([9], (64, 48))[0])
    assert desktop.size == (100, 48)
    window.write(grey_frames([9], (128, 48))[0])
    assert desktop.size == (128, 48)
    window.toggle_full_screen()
    assert desktop.full_screen == cv2.WINDOW_FULLSCREEN
    window.write(grey_frames([9], (64, 48))[0])
    assert desktop.size == (128, 48)
    window.toggle_full_screen()
    assert desktop.full_screen == cv2.WINDOW_NORMAL


def test_a_wide_picture_fits_on_the_screen(desktop: Desktop) -> None:
    Window("test").write(grey_frames([9], (2560, 720))[0])
    assert desktop.size == (1600, 450)


@pytest.mark.parametrize(
    ("window", "shape", "bars"),
    [
        ((64, 48), (48, 64), (0, 0)),
        ((128, 96), (48, 64), (0, 0)),
        ((128, 48), (48, 128), (0, 32)),
        ((64, 64), (64, 64), (8, 0)),
        ((0, 0), (48, 64), (0, 0)),
        ((-1, -1), (48, 64), (0, 0)),
    ],
)
def test_bars_instead_of_stretching(
    window: tuple[int, int], shape: tuple[int, int], bars: tuple[int, int]
) -> None:
    picture = np.full((48, 64, 3), 200, np.uint8)
    result = framed(picture, window)
    assert result.shape == (*shape, 3)
    above, beside = bars
    inside = result[above : above + 48, beside : beside + 64]
    assert (inside == 200).all()
    assert (result == 200).sum() == inside.size


def test_keys_are_heard_once(desktop: Desktop) -> None:
    window = Window("test")
    desktop.codes = [ord("n"), ord("m") + 0x100000]
    assert window.key() == "n"
    window.write(grey_frames([9])[0])  # the window hears the next one while it draws
    assert desktop.codes == []
    assert window.key() == "m"
    assert window.key() == ""


def test_special_keys_are_no_letters(desktop: Desktop) -> None:
    window = Window("test")
    left, up, right, down, home, shift = 0xFF51, 0xFF52, 0xFF53, 0xFF54, 0xFF50, 0xFFE1
    for code in (left, up, right, down, home, shift, left + 0x100000):
        desktop.codes = [code]
        assert window.key() == ""
    desktop.codes = [0xFFAB, 0x10FFAD, 0xFF1B, 0x1B, 0xF6]
    assert [window.key() for _ in range(5)] == ["+", "-", "\x1b", "\x1b", "ö"]


@pytest.mark.parametrize("is_qt", [False, True])
def test_a_closed_window_quits(desktop: Desktop, is_qt: bool) -> None:
    desktop.is_qt = is_qt
    window = Window("test")
    assert window.key() == ""
    window.write(grey_frames([9])[0])
    desktop.visible = 0.0
    assert window.key() == "q"
    shown = len(desktop.pictures)
    window.write(grey_frames([9])[0])
    assert len(desktop.pictures) == shown  # or the window would come back
    window.close()
    assert desktop.windows == 1  # it is gone already


def test_closing(desktop: Desktop) -> None:
    window = Window("test")
    window.close()
    window.close()
    assert desktop.windows == 0


def test_no_display(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("WAYLAND_DISPLAY", "")
    with pytest.raises(UserError, match=r"there is no display: .* --no-window with --record FILE"):
        Window("test")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    Window("test")


def test_opencv_without_windows(desktop: Desktop) -> None:
    desktop.has_windows = False
    with pytest.raises(UserError, match="pip install --force-reinstall opencv-python, or use --no"):
        Window("test")
