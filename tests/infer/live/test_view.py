import numpy as np
import pytest

from nst.infer.live.overlay import draw_text
from nst.infer.live.view import KEYS, Action, View, action_of

RAMP = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None], (100, 200, 3))
STYLIZED = np.uint8(255) - RAMP


def test_as_it_is() -> None:
    assert (View(keys=False).compose(RAMP, STYLIZED, []) == STYLIZED).all()


def test_mirror_and_original() -> None:
    view = View(keys=False)
    view.toggle("mirror")
    assert (view.compose(RAMP, STYLIZED, []) == STYLIZED[:, ::-1]).all()
    view.toggle("original")
    both = view.compose(RAMP, STYLIZED, [])
    assert both.shape == (100, 400, 3)
    assert (both[:, :200] == RAMP[:, ::-1]).all()
    assert (both[:, 200:] == STYLIZED[:, ::-1]).all()
    view.toggle("mirror")
    assert (view.compose(RAMP, STYLIZED, [])[:, :200] == RAMP).all()


def test_text_is_drawn_on_a_copy() -> None:
    frame, stylized = np.full((2, 480, 640, 3), 90, np.uint8)
    view = View()
    shown = view.compose(frame, stylized, ["29.8 frames/s", "cpu"])
    assert (stylized == 90).all()
    changed = (shown != 90).any(axis=2)
    assert changed[:40, :100].any()  # readings
    assert changed[-40:, :100].any()  # keys
    assert not changed[:, 320:].any()
    view.toggle("keys")
    assert not (view.compose(frame, stylized, ["cpu"]) != 90)[-40:].any()


def test_text_is_white_on_dark_whatever_is_behind() -> None:
    for level in (0, 128, 255):
        picture = np.full((480, 640, 3), level, np.uint8)
        draw_text(picture, ["starry_night  100%"], "top left")
        text = picture[:25, :100]
        assert text.max() == 255
        assert np.percentile(text, 30) == level // 4


def test_corners() -> None:
    for corner, rows, columns in (
        ("top left", slice(20), slice(40)),
        ("bottom left", slice(-20, None), slice(40)),
    ):
        picture = np.full((480, 640, 3), 200, np.uint8)
        draw_text(picture, ["x" * 6], corner)  # type: ignore[arg-type]
        changed = picture != 200
        assert changed[rows, columns].all(axis=2).any()
        inside = changed[rows].sum()
        assert inside > 0.6 * changed.sum()


@pytest.mark.parametrize("size", [(1, 1), (20, 7), (64, 48)])
def test_text_larger_than_the_picture_is_cut_off(size: tuple[int, int]) -> None:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    shown = View().compose(picture, picture, ["a line that is much longer than that"] * 9)
    assert shown.shape == picture.shape


def test_letters_grow_with_the_picture() -> None:
    rows = []
    for height in (480, 1080):
        picture = np.full((height, 1900, 3), 200, np.uint8)
        draw_text(picture, ["cpu"], "top left")
        rows.append(int((picture != 200).any(axis=(1, 2)).sum()))
    assert rows[1] > 1.8 * rows[0]
    assert rows[0] >= 20


def test_keys() -> None:
    assert set(KEYS.values()) == set(Action)
    assert action_of("n") is action_of("N") is Action.NEXT_STYLE
    assert action_of("q") is action_of("\x1b") is Action.QUIT
    assert action_of("+") is action_of("=") is Action.STRONGER
    assert action_of("") is None
    assert action_of("y") is None
