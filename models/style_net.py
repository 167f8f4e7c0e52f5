"""What every image transformation network has in common, and how one is made from its name."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

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

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in [0, 1], to the same shape and about the same range."""

    def as_images(self, x: Tensor, *, like: Tensor) -> Tensor:
        """What the last convolution gives as images, RGB around [0, 1].

        Args:
            x: (B, 3, H', W'), H' >= H and W' >= W: strided convolutions round sizes up and keep
                the top left corner in place.
            like: (B, 3, H, W).
        """
        height, width = like.shape[-2:]
        images = OUTPUT_CENTRE + OUTPUT_SCALE * x
        return images[..., :height, :width]
