import math

import pytest
import torch
from torch import Generator, Tensor

from nst.models import GridLoss

SIDE_PX = 160


def noise() -> Tensor:
    return 0.05 * torch.randn(2, 3, SIDE_PX, SIDE_PX, generator=Generator().manual_seed(0))


def waves(period_px: float) -> Tensor:
    """Amplitude 0.02, across the width."""
    columns = torch.arange(SIDE_PX)
    return (0.02 * torch.sin(2 * math.pi * columns / period_px + 0.4)).expand(1, 3, SIDE_PX, -1)


def loss(images: Tensor) -> float:
    return float(GridLoss()(images))


@pytest.mark.parametrize("period_px", [2, 4])
def test_a_grid_pays_its_mean_square(period_px: int) -> None:
    grid = waves(period_px)
    assert loss(0.5 + grid) == pytest.approx(float(grid.square().mean()), rel=0.05)


@pytest.mark.parametrize("period_px", [3, 5, 7.3, 40])
def test_other_patterns_do_not(period_px: float) -> None:
    assert loss(waves(period_px)) < 0.02 * loss(waves(4))


def test_neither_flat_fields_nor_gradients_pay() -> None:
    ramp = torch.linspace(0, 1, SIDE_PX).expand(1, 3, SIDE_PX, -1)
    assert loss(ramp) < 1e-10
    assert loss(torch.full((1, 3, 40, 60), 0.3)) < 1e-10


def test_texture_averages_out() -> None:
    assert loss(noise()) < 0.01 * float(noise().square().mean())


def test_a_grid_that_changes_its_sign_within_the_picture_is_seen() -> None:
    halves = waves(4).clone()
    halves[..., SIDE_PX // 2 :] *= -1
    assert loss(halves) > 0.8 * loss(waves(4))


@pytest.mark.parametrize("size", [(16, 16), (17, 70), (63, 65), (130, 257)])
def test_any_size(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, requires_grad=True)
    GridLoss()(image).backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
