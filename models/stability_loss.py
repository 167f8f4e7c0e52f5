"""Steadiness on video, learned from still photos.

A photo is moved along a smooth synthetic flow and gets the noise of a sensor. What the network
makes of it should be its picture of the photo, moved along the same flow. A pattern that is fixed
on the screen, such as the grid of a sub-pixel head, pays too: it does not move.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from nst.models.warping import inside, smooth_flow, warp

FLOW_SIZES_PX = (0.25, 8.0)
"""Lengths are drawn evenly on a logarithmic scale: most of them below 4 px, where a network that
works at a quarter of the resolution shifts its phase."""
NOISE = 4 / 255
"""Largest standard deviation of the noise, in the range [0, 1]."""


class StabilityLoss(nn.Module):
    """Mean squared difference between a moved stylized photo and a stylized moved photo.

    Source:
        Ruder et al. 2016, "Artistic style transfer for videos", eq. 7, with synthetic flows in
        place of those of a video.
    """

    def forward(
        self, net: nn.Module, photos: Tensor, stylized: Tensor, *, seeds: Sequence[int]
    ) -> Tensor:
        """Compare a batch with itself, moved.

        Args:
            net: (B, 3, H, W) to the same.
            photos: (B, 3, H, W), RGB in [0, 1], sides above 16 px.
            stylized: what ``net`` makes of them, float32.
            seeds: of the flow and the noise of each photo.
        Returns:
            A scalar, in squared units of the range [0, 1].
        """
        generators = [Generator().manual_seed(seed) for seed in seeds]
        flows = random_flows(photos, generators)
        with torch.no_grad():
            moved = add_noise(warp(photos, flows), generators).clamp(0, 1)
        difference: Tensor = net(moved).float() - warp(stylized, flows)
        mask = inside(flows).unsqueeze(1)
        sums = (difference.square() * mask).sum((1, 2, 3))
        return (sums / (3 * mask.sum((1, 2, 3))).clamp(min=1)).mean()


def random_flows(photos: Tensor, generators: Sequence[Generator]) -> Tensor:
    """A flow of random length for each photo of (B, 3, H, W): (B, 2, H, W)."""
    height, width = photos.shape[-2:]
    flows = [
        smooth_flow(height, width, size_px=random_size_px(generator), generator=generator)
        for generator in generators
    ]
    return torch.stack(flows).to(photos.device)


def random_size_px(generator: Generator) -> float:
    """The length of a flow."""
    low, high = (math.log(size_px) for size_px in FLOW_SIZES_PX)
    return math.exp(low + float(torch.rand((), generator=generator)) * (high - low))


def add_noise(photos: Tensor, generators: Sequence[Generator]) -> Tensor:
    """Gaussian noise of random strength, another one for each photo of (B, 3, H, W)."""
    noise = [
        NOISE * torch.rand((), generator=each) * torch.randn(photos.shape[1:], generator=each)
        for each in generators
    ]
    return photos + torch.stack(noise).to(photos.device)
