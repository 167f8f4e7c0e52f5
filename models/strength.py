"""The strength of a style as a knob, after training.

At full strength a network paints what it was trained to paint. Below that its picture is mixed
with the photo, and the scales and shifts of its instance norms move away from those of full
strength: strokes keep the contrast that the mix takes from them. What they move by is learned after
the rest, so that full strength stays as it is. Where it was not learned it is 0, and the knob is a
mix of pixels.

Source:
    Moving the norms' scales and shifts alone: Dumoulin et al. 2017, "A Learned Representation for
    Artistic Style". Drawing the strength at random: Babaeizadeh and Ghiasi 2018, "Adjustable
    Real-time Style Transfer".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StyleNorm(nn.InstanceNorm2d):
    """Instance norm with learned scale and shift, without running statistics.

    Attributes:
        weaker_weight: (C,), what is added to ``weight`` at strength 0; half of it at 1/2.
        weaker_bias: (C,), the same for ``bias``.
        strength: of the pass that is under way, a scalar; None is full strength.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True, track_running_stats=False)
        self.weaker_weight = nn.Parameter(torch.zeros(channels))
        self.weaker_bias = nn.Parameter(torch.zeros(channels))
        self.strength: Tensor | None = None

    def scale_and_shift(self) -> tuple[Tensor, Tensor]:
        """(C,) each, at the strength of the pass."""
        if self.strength is None:
            return self.weight, self.bias
        weakness = 1 - self.strength
        weight = self.weight + weakness * self.weaker_weight
        return weight, self.bias + weakness * self.weaker_bias

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        weight, bias = self.scale_and_shift()
        return F.instance_norm(x, weight=weight, bias=bias, eps=self.eps)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        # Networks of elsewhere, and of before there was a knob, have none.
        for name in ("weaker_weight", "weaker_bias"):
            state_dict.setdefault(prefix + name, torch.zeros(self.num_features))
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


@contextmanager
def at_strength(net: nn.Module, strength: Tensor | None) -> Iterator[None]:
    """Run the norms of a network at a strength, a scalar from 0 to 1."""
    norms = list(norms_of(net))
    for norm in norms:
        norm.strength = strength
    try:
        yield
    finally:
        for norm in norms:
            norm.strength = None


def knob_parameters(net: nn.Module) -> list[nn.Parameter]:
    """What the knob moves: all that is learned for strengths below 1."""
    return [value for norm in norms_of(net) for value in (norm.weaker_weight, norm.weaker_bias)]


def norms_of(net: nn.Module) -> Iterator[StyleNorm]:
    """Its norms that have a strength."""
    return (each for each in net.modules() if isinstance(each, StyleNorm))
