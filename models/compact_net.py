"""Small networks for real time: a body at a quarter of the resolution.

A picture has few pixels there, so that a network of 8,000 multiply-accumulates per pixel has room
for ten convolutions. The way up ends in a resize-convolution that is computed at half the
resolution (see ``ResizeConv2d``), which costs as much as a sub-pixel convolution and leaves no
grid of its own.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from nst.models.layers import (
    ReflectConv2d,
    ResidualBlock,
    ResizeConv2d,
    instance_norm,
    upsample_2x,
)
from nst.models.style_net import StyleNet


class CompactNet(StyleNet):
    """Two strided convolutions, residual blocks at 1/4, nearest x2, a resize-convolution.

    Args:
        width: channels at 1/4 of the resolution, at least 1.
        half_width: channels at 1/2, at least 1. Multiples of 16 run fastest.
        residual_blocks: at 1/4 of the resolution, at least 0.
    Raises:
        ValueError: if an argument is out of range.
    """

    block_px = 2
    arguments = ("width", "half_width", "residual_blocks")

    def __init__(self, width: int = 32, half_width: int = 16, residual_blocks: int = 5) -> None:
        super().__init__()
        if min(width, half_width) < 1 or residual_blocks < 0:
            raise ValueError(
                "CompactNet takes width and half_width >= 1 and residual_blocks >= 0, "
                f"not {width}, {half_width} and {residual_blocks}"
            )
        self.width = width
        self.half_width = half_width
        self.residual_blocks = residual_blocks
        self.down1 = ReflectConv2d(3, half_width, kernel_size=5, stride=2)
        self.norm1 = instance_norm(half_width)
        self.down2 = ReflectConv2d(half_width, width, kernel_size=3, stride=2)
        self.norm2 = instance_norm(width)
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(residual_blocks)))
        self.up = ReflectConv2d(width, half_width, kernel_size=3)
        self.norm3 = instance_norm(half_width)
        self.out = ResizeConv2d(half_width, 3)

    def blocks(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 12, 2 ceil(H/4), 2 ceil(W/4)), see ``StyleNet.blocks``."""
        x = F.relu(self.norm1(self.down1(images)))  # (B, C/2, ceil(H/2), ceil(W/2))
        x = F.relu(self.norm2(self.down2(x)))  # (B, C, ceil(H/4), ceil(W/4))
        x = self.body(x)
        x = upsample_2x(x)
        x = F.relu(self.norm3(self.up(x)))  # (B, C/2, 2 ceil(H/4), 2 ceil(W/4))
        result: Tensor = self.out(x)
        return result

    def ends(self) -> tuple[nn.Conv2d, ResizeConv2d]:
        """The 5x5 convolution on the image, and the resize-convolution."""
        return self.down1, self.out
