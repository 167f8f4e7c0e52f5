import threading
import time
from collections.abc import Iterator

import pytest

from nst.infer.jobs import batch as batch_module
from nst.infer.jobs.batch import (
    PIXELS_IN_FLIGHT,
    Batch,
    Crew,
    Gate,
    Halt,
    Halted,
    pixels_in_flight,
    share_cores,
    still_working,
    usable_cores,
)

GIVE_UP_S = 20.0


def test_every_thing_is_done_once() -> None:
    def work(number: int) -> Iterator[str]:
        yield f"{number}a"
        yield f"{number}b"

    results = list(Batch(work, workers=4, halt=Halt()).run(range(50)))
    assert sorted(results) == sorted(f"{n}{letter}" for n in range(50) for letter in "ab")
    assert not still_working()


def test_workers_work_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=GIVE_UP_S)

    def work(number: int) -> Iterator[int]:
        meeting.wait()
        yield number

    assert sorted(Batch(work, workers=3, halt=Halt()).run(range(3))) == [0, 1, 2]


def test_nothing_to_do() -> None:
    assert list(Batch(lambda _: [1], workers=2, halt=Halt()).run([])) == []


def test_a_bug_comes_out_and_ends_the_others() -> None:
    halt = Halt()

    def work(number: int) -> Iterator[int]:
        if number == 3:
            raise ZeroDivisionError("bug")
        while number > 3:
            halt.check()
            time.sleep(0.001)
        yield number

    with pytest.raises(ZeroDivisionError, match="bug"):
        list(Batch(work, workers=2, halt=halt).run(range(100)))
    assert not still_working()


def test_leaving_early_halts_the_workers_and_keeps_what_is_ready() -> None:
    halt = Halt()
    second = threading.Event()

    def work(number: int) -> Iterator[int]:
        if number == 2:
            second.set()
        while number >= 2:
            halt.check()
            time.sleep(0.001)
        yield number

    batch = Batch(work, workers=1, halt=halt)
    results = batch.run(range(100))
    assert next(results) == 0
    assert second.wait(GIVE_UP_S)
    results.close()
    assert list(batch.rest()) == [1]
    assert not still_working()


def test_a_worker_that_does_not_look_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "LEAVE_S", 0.05)
    go_on = threading.Event()
    stuck = threading.Event()

    def work(number: int) -> Iterator[int]:
        if number:
            stuck.set()
            go_on.wait(GIVE_UP_S)
        yield number

    results = Batch(work, workers=1, halt=Halt()).run(range(3))
    assert next(results) == 0
    assert stuck.wait(GIVE_UP_S)
    results.close()
    assert still_working()
    go_on.set()
    for thread in threading.enumerate():
        if thread.name.startswith(batch_module.WORKER):
            thread.join(GIVE_UP_S)
    assert not still_working()


def test_stopping_begins_nothing_new() -> None:
    started = threading.Event()
    go_on = threading.Event()

    def work(number: int) -> Iterator[int]:
        started.set()
        go_on.wait(GIVE_UP_S)
        yield number

    batch = Batch(work, workers=1, halt=Halt())
    results = batch.run(range(10))
    left: list[int] = []

    def stop() -> None:
        started.wait(GIVE_UP_S)
        left.append(batch.stop())
        go_on.set()

    threading.Thread(target=stop).start()
    assert list(results) == [0]
    assert left == [9]


def test_a_halt_waits_for_what_is_being_written() -> None:
    halt = Halt()
    events = []
    writing = threading.Event()

    def write() -> None:
        with halt.writing():
            writing.set()
            time.sleep(0.05)
            events.append("written")

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait(GIVE_UP_S)
    halt.check()
    halt.ask()
    events.append("halted")
    thread.join()
    assert events == ["written", "halted"]
    with pytest.raises(Halted):
        halt.check()
    with pytest.raises(Halted), halt.writing():
        pytest.fail("writing began")


def test_the_gate_lets_in_what_fits() -> None:
    gate = Gate(100)
    with gate.admit(60) as first, gate.admit(40) as second:
        assert (first, second) == (False, False)
    with gate.admit(100) as alone:
        assert alone
    with gate.admit(10**9) as alone:
        assert alone


def test_the_gate_is_never_too_full_and_lets_all_in() -> None:
    gate = Gate(100)
    lock = threading.Lock()
    inside, most = 0, 0

    def work(pixels: int) -> Iterator[int]:
        nonlocal inside, most
        with gate.admit(pixels) as alone:
            with lock:
                inside += pixels
                most = max(most, inside)
                assert not alone or inside == pixels
            time.sleep(0.001)
            with lock:
                inside -= pixels
        yield pixels

    sizes = [1, 100, 30, 50, 250, 99, 2, 60] * 5
    assert sorted(Batch(work, workers=6, halt=Halt()).run(sizes)) == sorted(sizes)
    assert most == 250


def test_a_large_photo_does_not_wait_for_ever() -> None:
    gate = Gate(100)
    entered = []

    def enter(pixels: int) -> None:
        with gate.admit(pixels):
            entered.append(pixels)

    threads = [threading.Thread(target=enter, args=(pixels,)) for pixels in (100, 10)]
    with gate.admit(50):
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        assert entered == []
    for thread in threads:
        thread.join(GIVE_UP_S)
    assert entered == [100, 10]


@pytest.mark.parametrize(
    ("cores", "photos", "crew"),
    [
        (2, 100, Crew(2, 1)),
        (8, 8, Crew(8, 1)),
        (8, 3, Crew(3, 6)),
        (8, 1, Crew(1, 8)),
        (1, 5, Crew(1, 1)),
    ],
)
def test_cores_are_shared_out(cores: int, photos: int, crew: Crew) -> None:
    assert share_cores(cores, photos) == crew


def test_cores_and_memory_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_cores() >= 1
    for free, pixels in ((None, PIXELS_IN_FLIGHT), (0, PIXELS_IN_FLIGHT), (2**40, 2**32)):
        monkeypatch.setattr(batch_module, "available_bytes", lambda free=free: free)
        assert pixels_in_flight() == pixels
