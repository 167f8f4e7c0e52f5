"""What every image transformation network has in common, and how one is made from its name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nst.models.layers import ComposedConv2d, spread_blocks
from nst.models.strength import at_strength

OUTPUT_CENTRE = 0.5
OUTPUT_SCALE = 1 / 8
"""The last convolution gives multiples of this around the centre.

It sums hundreds of positive activations, so that one step of Adam moves every pixel by about
lr * 9 * 9 * width / 2 in the network of Johnson et al. Without the scale that is more than the
range of a picture.
"""


class StyleNet(nn.Module, ABC):
    """A network that turns RGB images in [0, 1] into stylized ones of the same size.

    Subclasses take any height and width from ``min_size_px`` up, odd ones included.
    """

    min_size_px: int = 16
    arguments: tuple[str, ...]
    """Names of the constructor's arguments, which are attributes too. JSON types only."""

    @property
    def architecture(self) -> Mapping[str, Any]:
        """What ``build_net`` needs to make this network again, without its weights.

        ``{"name": class name, argument: value, ...}``.
        """
        values = {name: getattr(self, name) for name in self.arguments}
        return {"name": type(self).__name__, **values}

    block_px: int = 1
    """Side of the square of pixels that one place of the last layer gives."""

    def forward(self, images: Tensor, strength: Tensor | None = None) -> Tensor:
        """Stylize a batch.

        Args:
            images: (B, 3, H, W), RGB in [0, 1], H and W at least ``min_size_px``.
            strength: of the style, a scalar from 0, the photo, to 1; None is 1.
        Returns:
            (B, 3, H, W), RGB around [0, 1], not clamped.
        """
        height, width = images.shape[-2:]
        with at_strength(self, strength):
            pixels = spread_blocks(self.blocks(images), self.block_px)
        stylized = OUTPUT_CENTRE + OUTPUT_SCALE * pixels[..., :height, :width]
        return stylized if strength is None else torch.lerp(images, stylized.float(), strength)

    @abstractmethod
    def blocks(self, images: Tensor) -> Tensor:
        """What the last layer gives, in units of ``OUTPUT_SCALE`` around ``OUTPUT_CENTRE``.

        Args:
            images: (B, 3, H, W), RGB in [0, 1].
        Returns:
            (B, 3 * block_px**2, H', W'), the pixels of a block row by row, RGB together. H' and
            W' times ``block_px`` are at least H and W: strided convolutions round sizes up and
            keep the top left corner in place.
        """

    @abstractmethod
    def ends(self) -> tuple[nn.Conv2d, nn.Conv2d | ComposedConv2d]:
        """The first and the last layer."""

    def rescale(self, *, image: float, result: float, centre: float) -> None:
        """Change the units of images and ``blocks``, in place.

        Args:
            image: what the first layer multiplies images with, besides.
            result: what the last layer multiplies its result with, besides.
            centre: what is added to that.
        """
        first, last = self.ends()
        assert last.bias is not None
        with torch.no_grad():
            first.weight.mul_(image)
            last.weight.mul_(result)
            last.bias.mul_(result).add_(centre)
