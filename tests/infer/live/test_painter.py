import threading
import time

import numpy as np
import pytest
from live_parts import PATIENCE_S, AddStyle, Shelf, grey_frames

from nst.infer import UserError
from nst.infer.engine.frames import Frame
from nst.infer.live.painter import Painter
from nst.infer.live.style_bank import Setting

GREY = grey_frames([100])[0].pixels


def wait_until_ready(painter: Painter, style: int, size: tuple[int, int] = (64, 48)) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while painter._bank.ready(Setting(style, painter.strength, size)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_the_next_frame_has_the_next_style() -> None:
    painter = Painter(Shelf(AddStyle(1), AddStyle(2), AddStyle(3)).bank())
    assert (painter(GREY) == 101).all()
    for style, step, level in ((1, 1, 102), (0, -1, 101), (2, -1, 103), (0, 1, 101)):
        wait_until_ready(painter, style)
        painter.change_style(step)
        assert (painter(GREY) == level).all()
        assert painter.style == f"style_{style}"
        assert painter.state == ""
    painter.close()


def test_the_style_before_goes_on_until_the_next_is_ready() -> None:
    gate = threading.Event()
    painter = Painter(Shelf(AddStyle(1), AddStyle(2, gate)).bank())
    painter(GREY)
    painter.change_style(1)
    assert (painter(GREY) == 101).all()
    assert painter.style == "style_0"
    assert painter.state == "loading style_1 at 100%"
    gate.set()
    wait_until_ready(painter, 1)
    assert (painter(GREY) == 102).all()
    assert painter.state == ""
    painter.close()


def test_a_style_that_cannot_be_used_is_told_and_passed() -> None:
    painter = Painter(Shelf(AddStyle(1), UserError("cannot load it"), AddStyle(3)).bank())
    painter(GREY)
    painter.change_style(1)
    deadline = time.monotonic() + PATIENCE_S
    while painter.state != "cannot load it":
        assert (painter(GREY) == 101).all()
        assert time.monotonic() < deadline
    wait_until_ready(painter, 0)
    painter.change_style(1)
    while painter.state:
        painter(GREY)
        assert time.monotonic() < deadline
    assert (painter(GREY) == 103).all()
    painter.close()


def test_strength_stays_in_its_range() -> None:
    painter = Painter(Shelf(AddStyle(100)).bank(), strength=0.85)
    painter.change_strength(1)
    assert painter.strength == 0.95
    painter.change_strength(1)
    painter.change_strength(1)
    assert painter.strength == 1
    for _ in range(12):
        painter.change_strength(-1)
    assert painter.strength == 0
    painter(GREY)
    painter.change_strength(1)
    assert painter.state == "loading style_0 at 10%"
    painter(GREY)
    wait_until_ready(painter, 0)
    assert (painter(GREY) == 110).all()
    painter.close()


def test_a_strength_that_was_passed_over_is_forgotten() -> None:
    """The styles beside the shown one are ready at its strength, not at the one in between."""
    painter = Painter(Shelf(AddStyle(100), AddStyle(50)).bank())
    painter(GREY)
    for step in (-1, 1):
        painter.change_strength(step)
        painter(GREY)
    wait_until_ready(painter, 1)
    painter.change_style(1)
    assert (painter(GREY) == 150).all()
    painter.close()


def test_a_style_that_fails() -> None:
    style = AddStyle(1)
    painter = Painter(Shelf(style).bank())
    painter(GREY)
    style.error = UserError("out of memory")
    with pytest.raises(UserError, match="out of memory"):
        painter(GREY)
    painter.close()


def test_hold_fps_makes_the_picture_smaller_and_gives_it_back_at_its_size() -> None:
    style = AddStyle(1)
    painter = Painter(Shelf(style).bank(), hold_fps=30)
    frame = np.full((480, 640, 3), 7, np.uint8)
    assert (painter(frame) == 8).all()
    assert painter.size == (640, 480)
    for number in range(10):
        painter.observe(0.1, number / 10)
    painter(frame)
    assert painter.size == (640, 480)  # until the smaller size was tried
    painter.observe(0.1, 1.0)
    smaller = painter._working.size if painter._working else (0, 0)
    assert smaller < (640, 480)
    wait_until_ready(painter, 0, smaller)
    stylized = painter(frame)
    assert stylized.shape == frame.shape
    assert (stylized == 8).all()
    assert painter.size == smaller
    assert style.runs[-1][0][:2] == smaller[::-1]
    assert painter.state == ""
    painter.close()


def test_a_size_that_cannot_be_run_is_left_again() -> None:
    class OutOfMemory(AddStyle):
        def __call__(self, frame: Frame, *, strength: float = 1.0) -> Frame:
            if frame.shape[1] > 320:
                raise UserError("out of memory")
            return super().__call__(frame, strength=strength)

    painter = Painter(Shelf(OutOfMemory(1), AddStyle(2)).bank(), hold_fps=30)
    small = np.full((240, 320, 3), 7, np.uint8)
    assert (painter(small) == 8).all()
    larger = np.full((480, 640, 3), 7, np.uint8)
    deadline = time.monotonic() + PATIENCE_S
    assert (painter(larger) == 8).all()
    assert painter._working is not None
    while painter._working.size != (320, 240):
        assert (painter(larger) == 8).all()
        assert time.monotonic() < deadline
    assert painter.size == (320, 240)
    assert painter.state == ""
    painter.close()


def test_frames_slowed_down_by_the_other_thread_do_not_count() -> None:
    gate = threading.Event()
    painter = Painter(Shelf(AddStyle(1), AddStyle(2, gate)).bank(), hold_fps=30)
    painter(GREY)
    deadline = time.monotonic() + PATIENCE_S
    while not painter._bank.running:
        assert time.monotonic() < deadline
    for number in range(100):
        painter.observe(1.0, float(number))
    assert painter._working is not None
    assert painter._working.size == (64, 48)
    gate.set()
    painter.close()


def test_full_size_without_hold_fps() -> None:
    painter = Painter(Shelf(AddStyle(1)).bank())
    for number in range(20):
        painter(GREY)
        painter.observe(9.0, number * 9.0)
    assert painter.size == (64, 48)
    painter.close()


def test_a_camera_that_comes_back_with_another_size() -> None:
    painter = Painter(Shelf(AddStyle(1)).bank())
    painter(GREY)
    larger = grey_frames([50], (128, 96))[0].pixels
    assert painter(larger).shape == larger.shape
    wait_until_ready(painter, 0, (128, 96))
    assert painter(larger).shape == larger.shape
    assert painter.size == (128, 96)
    painter.close()


def test_a_model_of_one_size() -> None:
    style = AddStyle(1)
    style.fixed_size = (32, 32)
    painter = Painter(Shelf(style).bank())
    assert (painter(GREY) == 101).all()
    assert painter(GREY).shape == GREY.shape
    assert painter.size == (32, 32)
    painter.close()


def test_steady_averages_and_begins_anew_with_each_style() -> None:
    first = AddStyle(0)
    painter = Painter(Shelf(first, AddStyle(200)).bank(), steady=1.0)
    painter(GREY)
    first.amount = 100  # flicker: the frame stands still
    assert 100 < painter(GREY).max() < 150
    wait_until_ready(painter, 1)
    painter.change_style(1)
    assert (painter(GREY) == 44).all()  # 300 in a byte
    painter.close()
