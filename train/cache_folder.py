"""Where what is slow to make is kept between runs."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """A folder below XDG_CACHE_HOME, else ``~/.cache``. It need not exist."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nst" / name
