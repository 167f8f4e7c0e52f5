"""Many photos at once: worker threads that each take a photo from decoding to encoding.

Pillow and onnxruntime let go of Python's lock while they work, so that threads use all cores.
"""

import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from nst.infer.memory import available_bytes

WORKER = "nst-worker"
"""How the names of the threads begin."""

LEAVE_S = 2.0
"""How long the threads have to end when they are asked to."""

PIXELS_IN_FLIGHT = 100_000_000
BYTES_PER_PIXEL = 64
"""Of a photo, its result and what is encoded of it, with copies, beside what the network takes."""

Work = TypeVar("Work")
Result = TypeVar("Result")


class Halted(Exception):  # noqa: N818 # nothing is wrong
    """The work was asked to end."""


class Halt:
    """A request to end. What is being written is written to its end, nothing else begins."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked = False
        self._writing = 0

    def check(self) -> None:
        """Go on, unless the work is to end.

        Raises:
            Halted: if it is.
        """
        if self._asked:
            raise Halted

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While files are made that must not be left behind.

        Raises:
            Halted: if the work is to end.
        """
        with self._changed:
            self.check()
            self._writing += 1
        try:
            yield
        finally:
            with self._changed:
                self._writing -= 1
                self._changed.notify_all()

    def ask(self) -> None:
        """Ask the work to end, and wait until nobody writes any more."""
        with self._changed:
            self._asked = True
            self._changed.wait_for(lambda: not self._writing)


class Gate:
    """Lets photos in as long as all of them together are not too large.

    Args:
        capacity: pixels that may be inside at a time. A larger photo goes in alone.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._inside = 0
        self._changed = threading.Condition()
        self._turn = threading.Lock()  # or small photos would keep a large one waiting for ever

    @contextmanager
    def admit(self, pixels: int) -> Iterator[bool]:
        """Wait for room.

        Args:
            pixels: of the photo.
        Yields:
            Whether it has all of the room, so that it is alone until it leaves.
        """
        taken = min(pixels, self.capacity)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._inside + taken <= self.capacity)
            self._inside += taken
        try:
            yield taken == self.capacity
        finally:
            with self._changed:
                self._inside -= taken
                self._changed.notify_all()


class Crew(NamedTuple):
    """How the cores are shared out.

    Attributes:
        workers: threads that take photos.
        threads: of the network, for each operator: the workers and these are as many as the cores.
    """

    workers: int
    threads: int


def share_cores(cores: int, photos: int) -> Crew:
    """A core for each photo; what is left over helps the networks.

    Args:
        cores: to use, >= 1.
        photos: in the batch, >= 1.
    """
    workers = min(cores, photos)
    # Networks that run at the same time share the threads that one has besides its own.
    return Crew(workers, cores - workers + 1)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pixels_in_flight() -> int:
    """Pixels of photos that fit into a quarter of the free memory, 100 megapixels at least."""
    return max(PIXELS_IN_FLIGHT, (available_bytes() or 0) // 4 // BYTES_PER_PIXEL)


class Batch(Generic[Work, Result]):
    """Works through a list with several threads.

    Args:
        work: does one thing and gives results one by one; called by several threads at a time.
        workers: how many, >= 1.
        halt: what ``work`` looks at to end early.
    """

    def __init__(
        self, work: Callable[[Work], Iterable[Result]], *, workers: int, halt: Halt
    ) -> None:
        self._work, self._workers, self._halt = work, workers, halt
        self._done: queue.SimpleQueue[Result | BaseException | None] = queue.SimpleQueue()
        self._waiting: queue.SimpleQueue[Work] = queue.SimpleQueue()

    def run(self, things: Iterable[Work]) -> Generator[Result, None, None]:
        """Work through all of it. Leaving early, by an exception too, halts the threads.

        Args:
            things: to do.
        Yields:
            Results, in the order in which they are ready.
        Raises:
            BaseException: what ``work`` raised.
        """
        for thing in things:
            self._waiting.put(thing)
        threads = [
            threading.Thread(target=self._labour, name=f"{WORKER}-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        working = self._workers
        try:
            while working:
                result = self._done.get()
                if result is None:
                    working -= 1
                elif isinstance(result, BaseException):
                    raise result
                else:
                    yield result
        finally:
            self._halt.ask()
            for thread in threads:
                thread.join(LEAVE_S / self._workers)

    def stop(self) -> int:
        """Begin nothing new; what is in work goes on. Returns how much is left undone."""
        left = 0
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return left
            left += 1

    def rest(self) -> Iterator[Result]:
        """Results that were ready when ``run`` was left."""
        while True:
            try:
                result = self._done.get_nowait()
            except queue.Empty:
                return
            if result is not None and not isinstance(result, BaseException):
                yield result

    def _labour(self) -> None:
        try:
            while True:
                for result in self._work(self._waiting.get_nowait()):
                    self._done.put(result)
        except (queue.Empty, Halted):
            self._done.put(None)
        except BaseException as error:  # noqa: BLE001 # raised again by who waits for the results
            self._done.put(error)


def still_working() -> bool:
    """Whether a thread did not end when it was asked to: a network cannot be stopped."""
    return any(thread.name.startswith(WORKER) for thread in threading.enumerate())
