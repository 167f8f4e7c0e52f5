"""Johnson's image transformation network.

Two strided convolutions, residual blocks at a quarter of the resolution, two nearest-neighbour
upsamplings each followed by a convolution. Instance normalisation replaces the paper's batch
normalisation (Ulyanov et al. 2016), resize-convolution its transposed convolution (Odena et al.
2016, against checkerboards), and every convolution pads by reflection (against dark borders).

Source: Johnson et al. 2016, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
supplementary material, table 1.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from nst.models.layers import ReflectConv2d, ResidualBlock, upsample_2x
from nst.models.strength import StyleNorm
from nst.models.style_net import StyleNet


class TransformerNet(StyleNet):
    """Johnson et al. 2016 with instance norm, reflect padding and resize-convolution.

    The names of the layers are those of the pytorch/examples network, so that its published
    checkpoints load (see ``nst.models.published``).

    Args:
        width: channels at full resolution, at least 1; twice as many at 1/2, four times at 1/4.
        residual_blocks: number of residual blocks at 1/4 resolution, at least 0.
    Raises:
        ValueError: if an argument is out of range.
    """

    arguments = ("width", "residual_blocks")

    def __init__(self, width: int = 32, residual_blocks: int = 5) -> None:
        super().__init__()
        if width < 1 or residual_blocks < 0:
            raise ValueError(
                f"TransformerNet takes width >= 1 and residual_blocks >= 0, "
                f"not {width} and {residual_blocks}"
            )
        self.width = width
        self.residual_blocks = residual_blocks
        self.conv1 = ReflectConv2d(3, width, kernel_size=9)
        self.in1 = StyleNorm(width)
        self.conv2 = ReflectConv2d(width, 2 * width, kernel_size=3, stride=2)
        self.in2 = StyleNorm(2 * width)
        self.conv3 = ReflectConv2d(2 * width, 4 * width, kernel_size=3, stride=2)
        self.in3 = StyleNorm(4 * width)
        for number in range(1, residual_blocks + 1):
            self.add_module(f"res{number}", ResidualBlock(4 * width))
        self.deconv1 = ReflectConv2d(4 * width, 2 * width, kernel_size=3)
        self.in4 = StyleNorm(2 * width)
        self.deconv2 = ReflectConv2d(2 * width, width, kernel_size=3)
        self.in5 = StyleNorm(width)
        self.deconv3 = ReflectConv2d(width, 3, kernel_size=9)

    def blocks(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, 4 ceil(H/4), 4 ceil(W/4)), see ``StyleNet.blocks``."""
        x = F.relu(self.in1(self.conv1(images)))  # (B, C, H, W)
        x = F.relu(self.in2(self.conv2(x)))  # (B, 2C, ceil(H/2), ceil(W/2))
        x = F.relu(self.in3(self.conv3(x)))  # (B, 4C, ceil(H/4), ceil(W/4))
        for number in range(1, self.residual_blocks + 1):
            x = self.get_submodule(f"res{number}")(x)
        x = upsample_2x(x)
        x = F.relu(self.in4(self.deconv1(x)))  # (B, 2C, 2 ceil(H/4), 2 ceil(W/4))
        x = upsample_2x(x)
        x = F.relu(self.in5(self.deconv2(x)))  # (B, C, 4 ceil(H/4), 4 ceil(W/4))
        result: Tensor = self.deconv3(x)
        return result

    def ends(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """The two 9x9 convolutions."""
        return self.conv1, self.deconv3
