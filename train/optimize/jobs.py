"""What the user asked ``nst-optimize`` for. Light: the command line fills these in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nst.infer.errors import UserError

CONTENT, NOISE, PAINTING = "content", "noise", "painting"
PAINT_SIZE_PX = 512
ATLAS_SIZE_PX = 256
UNITS_SIZE_PX = 288


@dataclass(frozen=True)
class Descending:
    """How a picture is optimised."""

    form: Literal["relative", "gatys", "course", "johnson"]
    optimizer: Literal["lbfgs", "adam"]
    steps: int
    seed: int


@dataclass(frozen=True)
class PaintJob:
    """One picture from one photo and some paintings. Weights None: those of the form.

    Raises:
        UserError: if paintings and their weights differ in number, or a weight is not above 0.
    """

    photo: Path
    paintings: Sequence[Path]
    out: Path
    descending: Descending
    size_px: int
    scales: int | None
    style_size_px: int | None
    start: str | None
    content_layers: Sequence[str]
    style_layers: Sequence[str]
    style_layer_weights: Sequence[float] | None
    content_weight: float | None
    style_weight: float | None
    painting_weights: Sequence[float] | None
    tv_weight: float
    keep_colors: bool
    every: int
    video: bool

    def __post_init__(self) -> None:
        weights = self.painting_weights
        if weights is not None and len(weights) != len(self.paintings):
            raise UserError(
                f"--painting-weights: {len(weights)} numbers for {len(self.paintings)} paintings"
            )
        if weights is not None and not (min(weights) > 0 and sum(weights) < math.inf):
            raise UserError("--painting-weights must be above 0, and finite")

    @property
    def strip(self) -> Path:
        """The film strip."""
        return self.out.with_name(f"{self.out.stem}.strip.png")

    @property
    def film(self) -> Path:
        """The video."""
        return self.out.with_name(f"{self.out.stem}.mp4")

    @property
    def snapshots(self) -> Path:
        """The folder of the snapshots."""
        return self.out.with_name(f"{self.out.stem}.steps")


@dataclass(frozen=True)
class AtlasJob:
    """What each block of the VGG keeps of a photo and of a painting."""

    photo: Path
    painting: Path
    out: Path
    descending: Descending
    size_px: int


@dataclass(frozen=True)
class UnitsJob:
    """What excites nine units of a layer most, in a folder of photos."""

    layer: str
    photos: Sequence[Path]
    out: Path
    short_side_px: int
