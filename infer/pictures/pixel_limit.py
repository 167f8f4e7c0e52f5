"""How many pixels Pillow reads, and its silence about it."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from PIL import Image

MAX_PIXELS = 250_000_000
"""Pictures above this are refused, unless another limit is given."""

_limits: list[int] = []
"""Of all that read a picture at present."""

_lock = threading.Lock()
_before = ExitStack()
"""What puts the globals back."""


@contextmanager
def pixel_limit(max_pixels: int) -> Iterator[None]:
    """Let Pillow refuse what has too many pixels before decoding it, and keep it from warning.

    Its limit is a global, and so are Python's filters of warnings: who reads first sets them for
    all that read at the same time, who is last puts them back. The highest limit holds for all.

    Args:
        max_pixels: the most that a picture may have.
    """
    with _lock:
        if not _limits:
            _before.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            _before.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
        _limits.append(max_pixels)
        # Pillow warns above this and refuses above twice this.
        Image.MAX_IMAGE_PIXELS = (max(_limits) + 1) // 2
    try:
        yield
    finally:
        with _lock:
            _limits.remove(max_pixels)
            if not _limits:
                _before.close()
