"""Does a stylized picture stay on its object, and does it stand still where the photo does?

The truth is exact: the photo is warped by a smooth synthetic flow, so that the stylized warped
photo should be the warped stylized photo. Blur makes both measures small; read them beside the
style loss.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from nst.models import inside, smooth_flow, warp

Frame = NDArray[np.uint8]
Stylize = Callable[[Frame], Frame]

FLOW_SIZES_PX = (0.5, 1.0, 2.0, 4.0, 8.0)
NOISE_LEVELS = 2.0
SEED = 0


def warp_frame(frame: Frame, flow: Tensor) -> Frame:
    """Move a frame (H, W, 3) along a flow (2, H, W), rounded to bytes again."""
    image = torch.tensor(frame).permute(2, 0, 1).float()
    moved = warp(image[None], flow[None])[0].round().clamp(0, 255)
    bytes_: Frame = moved.byte().permute(1, 2, 0).numpy()
    return bytes_


def rmse(a: Frame, b: Frame, mask: NDArray[np.bool_] | None = None) -> float:
    """Root mean square difference of two frames, in [0, 1]."""
    difference = (a.astype(np.float64) - b.astype(np.float64)) / 255
    if mask is not None:
        difference = difference[mask]
    return float(np.sqrt(np.mean(difference**2)))


def warp_errors(
    stylize: Stylize,
    photo: Frame,
    stylized: Frame,
) -> dict[float, float]:
    """e_warp: RMSE between the warped stylized and the stylized warped photo.

    Args:
        stylize: (H, W, 3) to the same.
        photo: (H, W, 3).
        stylized: what ``stylize`` makes of it.
    Returns:
        Length of the flow, root mean square in pixels, to the error in [0, 1]. All flows have the
        same directions.
    """
    errors = {}
    for size_px in FLOW_SIZES_PX:
        generator = Generator().manual_seed(SEED)
        flow = smooth_flow(*photo.shape[:2], size_px=size_px, generator=generator)
        errors[size_px] = rmse(
            warp_frame(stylized, flow),
            stylize(warp_frame(photo, flow)),
            inside(flow[None])[0].numpy(),
        )
    return errors


def flicker(stylize: Stylize, photo: Frame) -> float:
    """RMSE between two stylized shots of one still scene.

    Args:
        stylize: (H, W, 3) to the same.
        photo: (H, W, 3); two shots of it differ by Gaussian noise of 2 levels each.
    Returns:
        In [0, 1]; 0.011 for the photo itself.
    """
    random = np.random.default_rng(SEED)
    shots: list[Frame] = []
    for _ in range(2):
        noisy = photo + random.normal(0, NOISE_LEVELS, photo.shape)
        shots.append(stylize(np.rint(noisy).clip(0, 255).astype(np.uint8)))
    return rmse(shots[0], shots[1])
