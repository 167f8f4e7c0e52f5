"""Output that nobody reads any more: the terminal was closed, or the program behind a pipe ended.

A run of hours goes on all the same.
"""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

NOBODY_READS = (errno.EPIPE, errno.EIO)


class Enduring(io.FileIO):
    """A file of the process, into which nothing is written from the first such failure on."""

    def write(self, content: bytes | memoryview) -> int:  # type: ignore[override]
        """Write, or seem to."""
        try:
            return super().write(content)
        except OSError as error:
            if error.errno not in NOBODY_READS:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return memoryview(content).nbytes


@contextmanager
def going_on_unread() -> Iterator[None]:
    """Let standard output and error end without ending what writes to them."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(enduring, before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def enduring(stream: TextIO) -> TextIO:
    """The same output, written to in this way; one that is no file of the process as it is."""
    try:
        stream.flush()
        raw = Enduring(stream.fileno(), "w", closefd=False)
    except (OSError, AttributeError):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw),  # type: ignore[type-var] # it has all that one needs
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )
