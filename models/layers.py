"""Building blocks of the networks.

Under autocast a CPU pads and upsamples in float32. The conversions to and fro cost as much as the
convolutions of a small network, so these blocks stay in the precision of the convolutions.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.models.strength import StyleNorm


class ReflectConv2d(nn.Conv2d):
    """Convolution of odd kernel that pads by reflection: borders stay as bright as the rest.

    The names of its parameters are those of ``nn.Conv2d``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, kernel_size: int, stride: int = 1
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride)
        self.reach = kernel_size // 2

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride)); H and W above ``reach``."""
        return super().forward(reflect_pad(x, self.reach))


def reflect_pad(x: Tensor, cells: int) -> Tensor:
    """(B, C, H, W) with ``cells`` of its mirror image on each side; H and W above ``cells``."""
    return in_half_precision(lambda x: F.pad(x, (cells,) * 4, mode="reflect"), x)


def edge_pad(x: Tensor, cells: int) -> Tensor:
    """(B, C, H, W) with its border repeated ``cells`` times on each side."""
    if torch.compiler.is_compiling() and not torch.compiler.is_exporting():
        # torch.compile, of torch 2.15, takes the gradient of a pad for one of another
        # memory layout than it has.
        for dim in (-2, -1):
            first, last = x.narrow(dim, 0, 1), x.narrow(dim, -1, 1)
            x = torch.cat([*[first] * cells, x, *[last] * cells], dim)
        return x
    return in_half_precision(lambda x: F.pad(x, (cells,) * 4, mode="replicate"), x)


def upsample_2x(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, C, 2H, 2W) by the nearest neighbour."""
    return in_half_precision(lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"), x)


def in_half_precision(operation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``operation(x)``, under autocast in the precision that a convolution would have."""
    device = x.device.type
    if not torch.is_autocast_enabled(device):
        return operation(x)
    with without_autocast(x):
        return operation(x.to(torch.get_autocast_dtype(device)))


def without_autocast(x: Tensor) -> AbstractContextManager[None]:
    """Operations in the precision of their operands, on the device of ``x``."""
    return torch.autocast(x.device.type, enabled=False)


class ComposedConv2d(nn.Module, ABC):
    """A convolution whose kernels are made of smaller ones at every pass.

    Attributes:
        weight: what is learned.
        bias: (C',).
    """

    weight: Tensor
    bias: Tensor

    @abstractmethod
    def composed(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the plain convolution that this is."""

    def forward(self, x: Tensor) -> Tensor:
        """The plain convolution, without padding."""
        return F.conv2d(x, *self.composed())

    def plain(self) -> nn.Conv2d:
        """The plain convolution, with the kernels as they are now."""
        weight, bias = self.composed()
        convolution = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2])
        convolution.load_state_dict({"weight": weight, "bias": bias})
        return convolution


class NearestConv2d(ComposedConv2d):
    """Nearest-neighbour upsampling by 2 and a 3x3 convolution, computed at the lower resolution.

    Each of the four places in a cell sees 2x2 cells through a kernel of its own: 4 products in
    place of 9, and nothing is moved. (B, C, H + 1, W + 1) to (B, 4C', H, W), for
    ``spread_blocks`` with side 2.

    Attributes:
        weight: (C', C, 3, 3), of the convolution after the upsampling.
        bias: (C',).
    """

    spread: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        convolution = nn.Conv2d(in_channels, out_channels, kernel_size=3)
        assert convolution.bias is not None
        self.weight, self.bias = convolution.weight, convolution.bias
        # Which cell (rows) a tap of the kernel (columns) sees, first and second place.
        first, second = [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
        self.register_buffer("spread", torch.tensor([first, second]), persistent=False)

    def composed(self) -> tuple[Tensor, Tensor]:
        """Weight (4C', C, 2, 2) and bias."""
        with without_autocast(self.weight):
            kernels = torch.einsum("aps,bqt,ocst->abocpq", self.spread, self.spread, self.weight)
        return kernels.flatten(0, 2), self.bias.repeat(4)


class ResizeConv2d(ComposedConv2d):
    """Bilinear upsampling by 2 and a 3x3 convolution, computed on blocks of its input.

    Upsampling is linear, so that the four phases of a pixel's place see the 3x3 cells around it
    through four kernels that come from one. Where the input is flat the four give the same: a
    sub-pixel convolution with free kernels (Shi et al. 2016) has a grid there. The input comes in
    blocks of 2x2, as ``NearestConv2d`` gives it: 2x2 blocks hold the 3x3 cells around each of the
    four in the middle. (B, 4C, H + 1, W + 1) to (B, 16C', H, W), for ``spread_blocks`` with side 4.

    Attributes:
        weight: (C', C, 3, 3), of the convolution after the upsampling.
        bias: (C',).
    Source:
        Odena et al. 2016, "Deconvolution and Checkerboard Artifacts".
    """

    spread: Tensor
    places: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        convolution = nn.Conv2d(in_channels, out_channels, kernel_size=3)
        self.weight = convolution.weight
        self.bias = nn.Parameter(torch.zeros(out_channels))
        # Which cells (rows) a tap of the kernel (columns) sees, left and right phase.
        left = [[0.75, 0.25, 0.0], [0.25, 0.75, 0.75], [0.0, 0.0, 0.25]]
        right = [[0.25, 0.0, 0.0], [0.75, 0.75, 0.25], [0.0, 0.25, 0.75]]
        self.register_buffer("spread", torch.tensor([left, right]), persistent=False)
        # Whether tap s from cell A on is cell a of block p: A + s = 2p + a.
        taps = torch.arange(2).view(2, 1, 1, 1) + torch.arange(3)
        cells = 2 * torch.arange(2).view(2, 1, 1) + torch.arange(2).view(2, 1)
        self.register_buffer("places", (taps == cells).float(), persistent=False)

    def composed(self) -> tuple[Tensor, Tensor]:
        """Weight (16C', 4C, 2, 2) and bias."""
        with without_autocast(self.weight):
            kernels = torch.einsum("dsx,ety,ocxy->deocst", self.spread, self.spread, self.weight)
            kernels = torch.einsum(
                "Apas,Bqbt,deocst->AdBeoabcpq", self.places, self.places, kernels
            )
        return kernels.flatten(0, 4).flatten(1, 3), self.bias.repeat(16)


def spread_blocks(x: Tensor, side: int) -> Tensor:
    """Channels into pixels: (B, side**2 * C, H, W) to (B, C, side * H, side * W).

    The channels of the pixels of a block follow each other row by row. (``F.pixel_shuffle`` takes
    all pixels of one channel together.)
    """
    if side == 1:
        return x
    batch, channels, height, width = x.shape
    pixels = x.view(batch, side, side, channels // side**2, height, width)
    return pixels.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, side * height, side * width)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance norm beside an identity; no ReLU after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ReflectConv2d(channels, channels, kernel_size=3)
        self.in1 = StyleNorm(channels)
        self.conv2 = ReflectConv2d(channels, channels, kernel_size=3)
        self.in2 = StyleNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        residual: Tensor = self.in2(self.conv2(F.relu(self.in1(self.conv1(x)))))
        return x + residual
