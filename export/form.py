"""What a graph takes and gives, in words. Apart from ``graph``, so that nothing waits for torch."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

IO: TypeAlias = Literal["uint8", "float"]
OPSETS = range(18, 22)
DEFAULT_OPSET = 18
MIN_SIDE_PX = 16
"""``StyleNet.min_size_px``."""


@dataclass(frozen=True)
class GraphForm:
    """What a graph takes and gives.

    Args:
        io: ``uint8``, (N, H, W, 3), or ``float``, (N, 3, H, W), float32 in [0, 1]; both RGB.
        size: the only height and width, for one picture at a time; None for any.
        strength: add the optional input ``strength``, float32, (1,), 0 to 1.
        statistics: add the optional input ``fixed_statistics`` and the output ``statistics``:
            float32, mean and variance of each normalised channel, (1, channels, 2) and
            (N, channels, 2). Without the input, and for a channel whose variance there is
            below 0, the picture's own count; the output gives those that were used.
        defaults: what makes those inputs optional. Some runtimes do not take inputs with defaults.
        opset: one of ``OPSETS``.
    Raises:
        ValueError: if ``opset`` or ``size`` is out of range.
    """

    io: IO = "uint8"
    size: tuple[int, int] | None = None
    strength: bool = False
    statistics: bool = False
    defaults: bool = True
    opset: int = DEFAULT_OPSET

    def __post_init__(self) -> None:
        if self.opset not in OPSETS:
            known = ", ".join(map(str, OPSETS))
            raise ValueError(f"opset must be one of {known}, not {self.opset}")
        if self.size is not None and min(self.size) < MIN_SIDE_PX:
            raise ValueError(f"a side must be at least {MIN_SIDE_PX} px, not {self.size}")

    @property
    def axes(self) -> dict[int, str]:
        """Names of the axes of a picture that are of any size."""
        if self.size is not None:
            return {}
        height = 1 if self.io == "uint8" else 2
        return {0: "batch", height: "height", height + 1: "width"}


DEFAULT_FORM = GraphForm()
