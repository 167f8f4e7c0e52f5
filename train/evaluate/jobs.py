"""What the user asked ``nst-evaluate`` for. Light: the command line fills it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NO_OTHER_VGG = "none"


@dataclass(frozen=True)
class EvaluateJob:
    """Which models are judged, on what, and by what.

    Where ``cache``, ``value_range`` or ``threads`` is None the program chooses.
    """

    models: Sequence[str]
    painting: Path
    photos: Path
    size_px: int
    style_size_px: int
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    vgg: Literal["vgg19", "vgg16"]
    vgg_weights: str
    other_vgg_weights: str
    gatys: bool
    gatys_photos: int
    cache: Path | None
    value_range: Literal["0-255", "0-1"] | None
    cost: bool
    threads: int | None
    json: bool
    page: Path
