"""Stages side by side: one thread reads, several work, and results come back in order."""

import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from nst.infer.video.protocol import FrameSource, TimedFrame

THREAD = "nst-video"
"""How the names of the threads begin."""

WAITING = 2
"""Frames that are read ahead or wait for the consumer, beside one per worker: stages do not take
the same time for each frame."""

Result = TypeVar("Result")


class Pipeline(Generic[Result]):
    """Reads frames, works on several of them at a time, and gives the results in order.

    At most ``workers + WAITING`` frames are held at any time.

    Args:
        source: read by a thread of its own.
        work: what is done with a frame; called by several threads at a time.
        workers: how many, >= 1.
    """

    def __init__(
        self, source: FrameSource, work: Callable[[TimedFrame], Result], *, workers: int
    ) -> None:
        self._source, self._work, self._workers = source, work, workers
        self._room = threading.Semaphore(workers + WAITING)
        self._ended = threading.Event()
        self._tasks: queue.SimpleQueue[tuple[TimedFrame, Future[Result]] | None]
        self._tasks = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Future[Any] | None] = queue.SimpleQueue()

    def run(self) -> Generator[Result, None, None]:
        """Work through all frames. Leaving early, by an exception too, ends the threads.

        Yields:
            Results, in the order of the frames.
        Raises:
            BaseException: what the source or the work raised, when its turn comes.
        """
        threads = [threading.Thread(target=self._read, name=f"{THREAD}-read", daemon=True)]
        threads += [
            threading.Thread(target=self._labour, name=f"{THREAD}-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        try:
            while (result := self._results.get()) is not None:
                yield result.result()
                self._room.release()
        finally:
            self._ended.set()
            self._room.release()  # the reader may be waiting for it
            for thread in threads:
                thread.join()

    def _read(self) -> None:
        try:
            while self._room.acquire() and not self._ended.is_set():
                frame = self._source.read()
                if frame is None:
                    break
                future: Future[Result] = Future()
                self._results.put(future)
                self._tasks.put((frame, future))
        except BaseException as error:  # noqa: BLE001 # raised again by who waits for the results
            failed: Future[Any] = Future()
            failed.set_exception(error)
            self._results.put(failed)
        self._results.put(None)
        for _ in range(self._workers):
            self._tasks.put(None)

    def _labour(self) -> None:
        while (task := self._tasks.get()) is not None:
            frame, future = task
            if self._ended.is_set():
                continue
            try:
                future.set_result(self._work(frame))
            except BaseException as error:  # noqa: BLE001 # raised again by who waits for it
                future.set_exception(error)
