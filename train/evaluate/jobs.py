"""What the user asked ``nst-evaluate`` for. Light: the command line fills it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nst.train.vgg_choice import VGGChoice

NO_OTHER_VGG = "none"


@dataclass(frozen=True)
class EvaluateJob:
    """Which models are judged, on what, and by what.

    ``vgg`` is the one that is chosen, ``other_vgg_weights`` are those of the other. Where ``cache``
    or ``value_range`` is None the program chooses.
    """

    models: Sequence[str]
    painting: Path
    photos: Path
    size_px: int
    style_size_px: int
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    vgg: VGGChoice
    other_vgg_weights: str
    gatys: bool
    gatys_photos: int
    cache: Path | None
    value_range: Literal["0-255", "0-1"] | None
    cost: bool
    json: bool
    page: Path
