"""Fixed statistics: instance norms that take mean and variance from outside.

Instance norm normalises with the mean and the variance of the whole picture. A tile has others,
and so has the next frame of a video: seams and flicker. With the statistics of the whole picture a
tile is what the whole is at that place, if it begins at a multiple of the network's stride (4 px)
and up to the reach of its convolutions from the border.
"""

import torch
from torch import Tensor, nn

from nst.models.strength import StyleNorm


class StatisticsDesk:
    """Hands fixed statistics to the norms of a network, and collects those they used.

    Args:
        net: its instance norms are replaced by ``OpenNorm``.
    Attributes:
        channels: of all norms together.
    Raises:
        ValueError: if there are none.
    """

    def __init__(self, net: nn.Module) -> None:
        norms = {name: each for name, each in net.named_modules() if isinstance(each, StyleNorm)}
        if not norms:
            raise ValueError("the network has no instance norm: there are no statistics to fix")
        for number, (name, norm) in enumerate(norms.items()):
            net.set_submodule(name, OpenNorm(norm, self, number))
        self._widths = [norm.num_features for norm in norms.values()]
        self._fixed: tuple[Tensor, ...] = ()
        self._used: dict[int, Tensor] = {}
        self.channels = sum(self._widths)

    def open(self, fixed: Tensor) -> None:
        """Before a pass: (1, ``channels``, 2), mean and variance, as ``close`` gives them."""
        self._fixed = torch.split(fixed, self._widths, dim=1)
        self._used = {}

    def exchange(self, number: int, own: Tensor) -> Tensor:
        """For one norm: its own statistics (N, C, 2) to those that count."""
        fixed = self._fixed[number]
        self._used[number] = torch.where(fixed[:, :, 1:] < 0, own, fixed)
        return self._used[number]

    def close(self) -> Tensor:
        """After a pass: the statistics that were used, (N, ``channels``, 2)."""
        return torch.cat([self._used[number] for number in range(len(self._widths))], dim=1)


class OpenNorm(nn.Module):
    """Instance norm whose statistics come from a ``StatisticsDesk``."""

    def __init__(self, norm: StyleNorm, desk: StatisticsDesk, number: int) -> None:
        super().__init__()
        self.norm = norm
        self.desk, self.number = desk, number

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        own_mean = x.mean(dim=(2, 3), keepdim=True)
        own_variance = (x - own_mean).square().mean(dim=(2, 3))
        own = torch.stack([own_mean.flatten(1), own_variance], dim=2)
        mean, variance = self.desk.exchange(self.number, own)[..., None, None].unbind(dim=2)
        weight, bias = self.norm.scale_and_shift()
        scale = torch.rsqrt(variance + self.norm.eps) * weight[:, None, None]
        return x * scale + (bias[:, None, None] - mean * scale)
