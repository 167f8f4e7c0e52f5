import threading
import time

import pytest
from live_parts import PATIENCE_S, Script, grey_frames

from nst.infer import UserError
from nst.infer.live.capture import Capture
from nst.infer.video.protocol import TimedFrame


def wait_until_over(capture: Capture) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not capture._over:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def level(frame: TimedFrame | None) -> int:
    assert frame is not None
    return int(frame.pixels[0, 0, 0])


def test_only_the_newest_frame_is_kept() -> None:
    source = Script(grey_frames([1, 2, 3]))
    capture = Capture(source)
    wait_until_over(capture)
    assert capture.dropped == 2
    states = [capture.ended]
    assert level(capture.take(0)) == 3
    states.append(capture.ended)
    assert states == [False, True]
    assert capture.take(0) is None
    assert source.closed


def test_no_frame_is_given_twice() -> None:
    gate = threading.Semaphore(1)
    capture = Capture(Script(grey_frames([1, 2]), gate))
    assert level(capture.take(PATIENCE_S)) == 1
    assert capture.take(0.01) is None
    assert not capture.ended
    gate.release()
    assert level(capture.take(PATIENCE_S)) == 2
    assert capture.dropped == 0
    gate.release()
    capture.close()


@pytest.mark.parametrize("error", [UserError("unplugged"), ZeroDivisionError("a bug")])
def test_what_the_source_failed_with_comes_after_its_last_frame(error: Exception) -> None:
    source = Script([*grey_frames([1]), error])
    capture = Capture(source)
    wait_until_over(capture)
    assert level(capture.take(0)) == 1
    with pytest.raises(type(error), match=str(error)):
        capture.take(0)
    assert source.closed


def test_it_has_not_ended_while_an_error_is_untold() -> None:
    capture = Capture(Script([UserError("unplugged")]))
    wait_until_over(capture)
    assert not capture.ended
    with pytest.raises(UserError, match="unplugged"):
        capture.take(0)


@pytest.mark.parametrize(
    ("steps", "told"), [([], "stuck"), ([UserError("unplugged")], "unplugged")]
)
def test_a_source_that_cannot_be_closed(steps: list[BaseException], told: str) -> None:
    class Stuck(Script):
        def close(self) -> None:
            raise OSError("stuck")

    capture = Capture(Stuck(steps))
    with pytest.raises((OSError, UserError), match=told):
        capture.take(PATIENCE_S)
    wait_until_over(capture)


def test_closing_closes_the_source() -> None:
    gate = threading.Semaphore(1)
    source = Script(grey_frames([1, 2, 3]), gate)
    capture = Capture(source)
    capture.take(PATIENCE_S)
    gate.release()
    capture.close()
    assert source.closed
    assert source.reads <= 3
    capture.close()


def test_a_source_that_failed_is_opened_again() -> None:
    first = Script([*grey_frames([1]), UserError("unplugged")])
    failing = Script([UserError("not yet")])
    back = Script(grey_frames([2]))
    states = []

    def reopen() -> Script:
        states.append((capture.trouble, first.closed))
        if len(states) == 1:
            raise UserError("not there")
        return failing if len(states) == 2 else back

    capture = Capture(first, reopen=reopen, retry_s=0.01)
    wait_until_over(capture)
    assert states == [("unplugged", True)] * 3
    assert capture.trouble == ""
    assert level(capture.take(0)) == 2
    assert capture.ended
    assert failing.closed
    assert back.closed


def test_patience_ends() -> None:
    source = Script([UserError("unplugged")])

    def reopen() -> Script:
        raise UserError("not there")

    capture = Capture(source, reopen=reopen, patience_s=0.1, retry_s=0.01)
    with pytest.raises(UserError, match="unplugged"):
        capture.take(PATIENCE_S)
    assert source.closed


def test_closing_ends_the_tries() -> None:
    def reopen() -> Script:
        raise UserError("not there")

    capture = Capture(Script([UserError("unplugged")]), reopen=reopen, retry_s=9 * PATIENCE_S)
    capture.close()
    capture._thread.join(PATIENCE_S)
    assert capture._over
