"""What every image transformation network has in common, and how one is made from its name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class StyleNet(nn.Module, ABC):
    """A network that turns RGB images in [0, 1] into stylized ones of the same size.

    Subclasses take any height and width from ``min_size_px`` up, odd ones included.
    """

    min_size_px: int = 16

    @property
    @abstractmethod
    def architecture(self) -> Mapping[str, Any]:
        """``{"name": class name, argument: value, ...}``: JSON types only."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in [0, 1], to the same shape and about the same range."""
