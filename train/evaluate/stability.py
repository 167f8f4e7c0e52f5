"""Does a stylized picture stay on its object, and does it stand still where the photo does?

The truth is exact: the photo is warped by a smooth synthetic flow, so that the stylized warped
photo should be the warped stylized photo. Blur makes both measures small; read them beside the
style loss.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Generator, Tensor

Frame = NDArray[np.uint8]
Stylize = Callable[[Frame], Frame]

FLOW_SIZES_PX = (0.5, 1.0, 2.0, 4.0, 8.0)
NOISE_LEVELS = 2.0
CONTROL_POINTS = 4
"""Vectors along each side between which a flow is interpolated."""
MARGIN_PX = 8
"""What the interpolation and a network's padding feel of the border, left out beside the mask."""


def smooth_flow(height: int, width: int, *, size_px: float, seed: int) -> Tensor:
    """Where each pixel comes from, as an offset in pixels.

    Args:
        height: in pixels.
        width: in pixels.
        size_px: root mean square length of the offsets.
        seed: of the random field.
    Returns:
        (2, H, W), float32: x and y.
    """
    generator = Generator().manual_seed(seed)
    coarse = torch.randn(1, 2, CONTROL_POINTS, CONTROL_POINTS, generator=generator)
    flow = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]
    return flow * (size_px / flow.square().sum(0).mean().sqrt())


def warp(frame: Frame, flow: Tensor) -> Frame:
    """Move a frame (H, W, 3) along a flow (2, H, W), bicubic, rounded to bytes again."""
    height, width = frame.shape[:2]
    x, y = source_places(flow)
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
    image = torch.tensor(frame).permute(2, 0, 1).float().unsqueeze(0)
    moved = F.grid_sample(
        image, grid.unsqueeze(0), mode="bicubic", padding_mode="reflection", align_corners=True
    )
    bytes_: Frame = moved[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return bytes_


def source_places(flow: Tensor) -> tuple[Tensor, Tensor]:
    """X and y, each (H, W), that a pixel comes from."""
    _, height, width = flow.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return columns + flow[0], rows + flow[1]


def inside(flow: Tensor) -> NDArray[np.bool_]:
    """(H, W): pixels that come from well inside the picture, and lie there."""
    _, height, width = flow.shape
    x, y = source_places(flow)
    still = torch.zeros_like(flow)
    mask = torch.ones(height, width, dtype=torch.bool)
    for columns, rows in ((x, y), source_places(still)):
        mask &= (columns >= MARGIN_PX) & (columns <= width - 1 - MARGIN_PX)
        mask &= (rows >= MARGIN_PX) & (rows <= height - 1 - MARGIN_PX)
    array: NDArray[np.bool_] = mask.numpy()
    return array


def rmse(a: Frame, b: Frame, mask: NDArray[np.bool_] | None = None) -> float:
    """Root mean square difference of two frames, in [0, 1]; NaN for an empty mask."""
    difference = (a.astype(np.float64) - b.astype(np.float64)) / 255
    if mask is not None:
        difference = difference[mask]
    return float(np.sqrt(np.mean(difference**2))) if difference.size else float("nan")


def warp_errors(
    stylize: Stylize,
    photo: Frame,
    stylized: Frame,
    *,
    sizes_px: Sequence[float] = FLOW_SIZES_PX,
    seed: int = 0,
) -> dict[float, float]:
    """e_warp: RMSE between the warped stylized and the stylized warped photo.

    Args:
        stylize: (H, W, 3) to the same.
        photo: (H, W, 3).
        stylized: what ``stylize`` makes of it.
        sizes_px: root mean square lengths of the flows.
        seed: of the flows, which all have the same direction.
    Returns:
        Length of the flow to the error in [0, 1].
    """
    errors = {}
    for size_px in sizes_px:
        flow = smooth_flow(*photo.shape[:2], size_px=size_px, seed=seed)
        errors[size_px] = rmse(warp(stylized, flow), stylize(warp(photo, flow)), inside(flow))
    return errors


def flicker(stylize: Stylize, photo: Frame, *, seed: int = 0) -> float:
    """RMSE between two stylized shots of one still scene.

    Args:
        stylize: (H, W, 3) to the same.
        photo: (H, W, 3); two shots of it differ by Gaussian noise of 2 levels each.
        seed: of the noise.
    Returns:
        In [0, 1]; 0.011 for the photo itself.
    """
    random = np.random.default_rng(seed)
    shots: list[Frame] = []
    for _ in range(2):
        noisy = photo + random.normal(0, NOISE_LEVELS, photo.shape)
        shots.append(stylize(np.rint(noisy).clip(0, 255).astype(np.uint8)))
    return rmse(shots[0], shots[1])
