"""Small networks for real time: a body at a quarter of the resolution.

A picture has few pixels there, so that a network of 8,000 multiply-accumulates per pixel has room
for ten convolutions. The way up goes through half the resolution and ends in a resize-convolution,
which leaves no grid of its own. Both its steps are computed at a quarter of the resolution, on
blocks of pixels (see ``NearestConv2d`` and ``ResizeConv2d``).

In a network this small, padding and instance norm take about as long as the convolutions. So a
picture is padded once for the two convolutions on the way down, once per residual block, and once
for the two on the way up: the first of two gives a ring more than is needed, the second uses it
up. And only what has a quarter of the resolution is normalised. ``docs/networks.md`` has the
measurements.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from nst.models.layers import NearestConv2d, ResizeConv2d, edge_pad, reflect_pad
from nst.models.strength import StyleNorm
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

    block_px = 4
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
        self.down1 = nn.Conv2d(3, half_width, kernel_size=5, stride=2)
        self.down2 = nn.Conv2d(half_width, width, kernel_size=3, stride=2)
        self.norm = StyleNorm(width)
        self.body = nn.Sequential(*(CompactBlock(width) for _ in range(residual_blocks)))
        self.up = NearestConv2d(width, half_width)
        self.out = ResizeConv2d(half_width, 3)

    def blocks(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 48, h, w), h = ceil(H/4), see ``StyleNet.blocks``."""
        x = F.relu(self.down1(reflect_pad(images, 4)))  # (B, C', 2h + 1 or + 2, ...)
        x = F.relu(self.norm(self.down2(x)))  # (B, C, h, w)
        x = edge_pad(self.body(x), 1)  # (B, C, h + 2, w + 2)
        x = F.relu(self.up(x))  # (B, 4C', h + 1, w + 1)
        result: Tensor = self.out(x)
        return result

    def ends(self) -> tuple[nn.Conv2d, ResizeConv2d]:
        """The 5x5 convolution on the image, and the resize-convolution."""
        return self.down1, self.out


class CompactBlock(nn.Module):
    """Two 3x3 convolutions with instance norm beside an identity, padded once."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3)
        self.norm1 = StyleNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3)
        self.norm2 = StyleNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape; H and W at least 3."""
        inner = F.relu(self.norm1(self.conv1(reflect_pad(x, 2))))  # (B, C, H + 2, W + 2)
        residual: Tensor = self.norm2(self.conv2(inner))
        return x + residual
