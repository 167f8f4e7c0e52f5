"""Smooth synthetic flows, and images moved along them.

They stand in for the motion of a video where there is none: the truth is exact.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

CONTROL_POINTS = 4
"""Vectors along each side between which a flow is interpolated."""
MARGIN_PX = 8
"""What the interpolation and a network's padding feel of the border: left out of comparisons."""


def smooth_flow(height: int, width: int, *, size_px: float, generator: Generator) -> Tensor:
    """Where each pixel comes from, as an offset in pixels.

    Args:
        height: in pixels.
        width: in pixels.
        size_px: root mean square length of the offsets.
        generator: of the random field, on the CPU.
    Returns:
        (2, H, W), float32: x and y.
    """
    coarse = torch.randn(1, 2, CONTROL_POINTS, CONTROL_POINTS, generator=generator)
    flow = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]
    return flow * (size_px / flow.square().sum(0).mean().sqrt())


def warp(images: Tensor, flows: Tensor) -> Tensor:
    """Move images along flows, bicubic: bilinear would blur them.

    Args:
        images: (B, C, H, W), float32.
        flows: (B, 2, H, W), float32.
    Returns:
        (B, C, H, W); it overshoots the range of the images a little at edges.
    """
    height, width = images.shape[-2:]
    x, y = source_places(flows)
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
    return F.grid_sample(
        images, grid, mode="bicubic", padding_mode="reflection", align_corners=True
    )


def source_places(flows: Tensor) -> tuple[Tensor, Tensor]:
    """X and y, each (B, H, W), that a pixel comes from along flows (B, 2, H, W)."""
    height, width = flows.shape[-2:]
    columns = torch.arange(width, device=flows.device)
    rows = torch.arange(height, device=flows.device)[:, None]
    return columns + flows[:, 0], rows + flows[:, 1]


def inside(flows: Tensor) -> Tensor:
    """(B, H, W), bool: pixels that come from well inside the image, and lie there."""
    height, width = flows.shape[-2:]
    mask = torch.ones(len(flows), height, width, dtype=torch.bool, device=flows.device)
    for x, y in (source_places(flows), source_places(torch.zeros_like(flows))):
        mask &= (x >= MARGIN_PX) & (x <= width - 1 - MARGIN_PX)
        mask &= (y >= MARGIN_PX) & (y <= height - 1 - MARGIN_PX)
    return mask
