import threading
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from nst.infer.errors import UserError
from nst.infer.video.pipeline import THREAD, WAITING, Pipeline
from nst.infer.video.protocol import TimedFrame


class Numbers:
    """Frames with their numbers as times."""

    def __init__(self, count: int, fail_at: int | None = None) -> None:
        self.given, self._count, self._fail_at = 0, count, fail_at

    def read(self) -> TimedFrame | None:
        if self.given == self._fail_at:
            raise UserError("the source fails")
        if self.given == self._count:
            return None
        self.given += 1
        return TimedFrame(np.zeros((1, 1, 3), np.uint8), self.given - 1.0)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert not [each for each in threading.enumerate() if each.name.startswith(THREAD)]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_order_is_kept(workers: int) -> None:
    seen = []
    second_is_ready = threading.Event()

    def work(frame: TimedFrame) -> float:
        if frame.time_s == 0 and workers > 1:  # so that it is ready after the second
            assert second_is_ready.wait(timeout=10)
        seen.append(frame.time_s)
        if frame.time_s == 1:
            second_is_ready.set()
        return frame.time_s

    results = list(Pipeline(Numbers(60), work, workers=workers).run())
    assert results == [float(number) for number in range(60)]
    assert workers == 1 or seen.index(1) < seen.index(0)


def test_frames_are_worked_on_at_a_time() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def work(frame: TimedFrame) -> None:
        meeting.wait()

    assert len(list(Pipeline(Numbers(9), work, workers=3).run())) == 9


def test_the_source_is_not_read_far_ahead() -> None:
    source = Numbers(1000)
    with closing(Pipeline(source, lambda frame: frame, workers=2).run()) as results:
        for number, _ in zip(range(20), results, strict=False):
            time.sleep(0.005)
            assert source.given <= number + 1 + 2 + WAITING


def test_the_source_fails() -> None:
    got = Pipeline(Numbers(9, fail_at=5), lambda frame: frame.time_s, workers=2).run()
    assert [next(got) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(UserError, match="the source fails"):
        next(got)


def test_the_work_fails() -> None:
    def work(frame: TimedFrame) -> float:
        if frame.time_s == 7:
            raise UserError("the work fails")
        return frame.time_s

    got = Pipeline(Numbers(100), work, workers=3).run()
    assert [next(got) for _ in range(7)] == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(UserError, match="the work fails"):
        next(got)


def test_the_consumer_fails() -> None:
    source = Numbers(10_000)

    def consume() -> None:
        with closing(Pipeline(source, lambda frame: frame, workers=3).run()) as results:
            for number, _ in enumerate(results):
                if number == 10:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert source.given < 30


def test_no_frame() -> None:
    assert list(Pipeline(Numbers(0), lambda frame: frame, workers=2).run()) == []
