import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from live_parts import PATIENCE_S, AddStyle, Shelf

from nst.infer import UserError
from nst.infer.live.style_bank import Setting, StyleBank, own_size

FULL = Setting(0, 1.0, (64, 48))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_the_first_style_is_opened_at_once() -> None:
    with pytest.raises(UserError, match="damaged"):
        Shelf(UserError("damaged"), AddStyle(1)).bank()


def test_all_are_opened_and_neighbours_run() -> None:
    styles = [AddStyle(number) for number in range(5)]
    shelf = Shelf(*styles)
    bank = shelf.bank()
    opened: Any = bank.wait_for(FULL)
    assert opened is styles[0]
    wait_for(lambda: len(shelf.opened) == 5)
    wait_for(lambda: bank.ready(FULL._replace(style=4)) is not None)
    assert sorted(shelf.opened) == ["0", "1", "2", "3", "4"]
    assert [len(style.runs) for style in styles] == [1, 1, 0, 0, 1]
    assert styles[1].runs == [((48, 64, 3), 1.0)]
    opened = bank.ready(FULL._replace(style=1))
    assert opened is styles[1]
    assert bank.ready(FULL._replace(style=2)) is None
    bank.want(FULL._replace(style=1))
    wait_for(lambda: bank.ready(FULL._replace(style=2)) is not None)
    bank.close()


def test_what_is_wanted_comes_first() -> None:
    gate = threading.Event()
    styles = [AddStyle(0), AddStyle(1, gate), AddStyle(2), AddStyle(3)]
    bank = Shelf(*styles).bank()
    bank.want(FULL)
    wait_for(lambda: bank.running and bank.ready(FULL) is not None)  # the thread is at style 1
    wanted = FULL._replace(style=3, strength=0.5)
    bank.want(wanted)
    assert bank.ready(wanted) is None
    gate.set()
    wait_for(lambda: bank.ready(wanted) is not None)
    assert styles[3].runs == [((48, 64, 3), 0.5)]
    assert bank.ready(FULL) is None  # another strength may have to be opened again
    bank.close()


def test_a_style_that_cannot_be_opened_or_run() -> None:
    broken = AddStyle(1)
    broken.error = UserError("cannot run 1.onnx")
    bank = Shelf(AddStyle(0), broken, UserError("cannot load 2.onnx")).bank()
    for style, message in ((1, "cannot run 1.onnx"), (2, "cannot load 2.onnx")):
        with pytest.raises(UserError, match=message):
            bank.wait_for(FULL._replace(style=style))
        assert bank.error(FULL._replace(style=style)) == message
    assert bank.error(FULL) == ""
    bank.wait_for(FULL)
    bank.close()


def test_a_run_that_failed_is_tried_again_later_and_at_another_size() -> None:
    style = AddStyle(1)
    bank = Shelf(style).bank()
    bank.wait_for(FULL)
    style.error = UserError("out of memory")
    larger = FULL._replace(size=(640, 480))
    with pytest.raises(UserError, match="out of memory"):
        bank.wait_for(larger)
    assert bank.error(FULL) == ""
    bank.want(larger)
    assert bank.error(larger) == "out of memory"  # no other was wanted since
    style.error = None
    bank.wait_for(FULL._replace(size=(32, 24)))
    bank.wait_for(larger)
    assert bank.error(larger) == ""
    assert [shape for shape, _ in style.runs] == [(48, 64, 3), (24, 32, 3), (480, 640, 3)]
    bank.close()


def test_a_bug_in_the_thread_is_raised_where_styles_are_wanted() -> None:
    broken = AddStyle(1)
    broken.error = ZeroDivisionError("a bug")
    bank = Shelf(broken).bank()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        bank.wait_for(FULL)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        bank.ready(FULL)


def test_closing_ends_the_thread() -> None:
    bank = Shelf(AddStyle(0)).bank()
    bank.close()
    assert not bank._thread.is_alive()
    bank.close()


def test_a_model_of_one_size() -> None:
    style = AddStyle(1)
    style.fixed_size = (32, None)
    bank: StyleBank = Shelf(style).bank()
    stylizer = bank.wait_for(FULL)
    assert own_size(stylizer, FULL.size) == (32, 48)
    assert style.runs == [((48, 32, 3), 1.0)]
    bank.close()
