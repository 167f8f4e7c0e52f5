"""Whose painting it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Credit:
    """Whose painting it is.

    Args:
        title: of the painting.
        artist: who painted it.
        year: when, such as 1889.
        license: under which it may be used, such as public domain.
    """

    title: str = ""
    artist: str = ""
    year: str | int = ""
    license: str = ""


NO_CREDIT = Credit()
