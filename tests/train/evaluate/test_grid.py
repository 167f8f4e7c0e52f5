import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nst.train.evaluate.grid import BLOCK_PX, flat_blocks, grid_energy, lattice

Plane = NDArray[np.float64]


def smooth(height: int = 192, width: int = 256, seed: int = 0) -> Tensor:
    """A picture without grids: noise through a blur, with a little fine noise, (1, 1, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 1, height // 16, width // 16, generator=generator)
    fine = torch.randn(1, 1, height, width, generator=generator)
    picture = F.interpolate(coarse, (height, width), mode="bicubic")
    return 0.5 * picture + 0.25 + 0.01 * fine


def plane(image: Tensor) -> Plane:
    array: Plane = image[0, 0].double().numpy()
    return array


def test_a_picture_beside_itself_has_no_grid() -> None:
    energy = grid_energy(plane(smooth()), plane(smooth()))
    assert energy.total == 1
    assert set(energy.by_period.values()) == {1.0}


def test_transposed_convolution_shows_and_resizing_does_not() -> None:
    """Odena et al. 2016: a kernel that the stride does not divide overlaps unevenly."""
    photo = smooth()
    small = F.interpolate(photo, scale_factor=0.5, mode="bilinear", antialias=True)
    kernel = torch.ones(1, 1, 3, 3) / 2.25
    transposed = F.conv_transpose2d(small, kernel, stride=2, padding=1, output_padding=1)
    resized = F.interpolate(small, scale_factor=2.0, mode="bilinear")
    fine = 0.01 * torch.randn(photo.shape, generator=torch.Generator().manual_seed(1))
    with_grid = grid_energy(plane(transposed + fine), plane(photo))
    without = grid_energy(plane(resized + fine), plane(photo))
    assert with_grid.total > 10
    assert with_grid.by_period[2] > 10
    assert without.total == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_grid_shows_at_its_period(period: int) -> None:
    photo = smooth()
    grid = torch.zeros_like(photo)
    grid[..., ::period] = 0.04
    energy = grid_energy(plane(photo + grid), plane(photo))
    assert energy.by_period[period] > 3
    coarser = [p for p in (2, 4, 8) if p > period]
    assert all(energy.by_period[p] < 1.5 for p in coarser)


def test_strokes_without_a_grid_do_not_count() -> None:
    photo = smooth()
    rows, columns = np.mgrid[0:192, 0:256]
    strokes = 0.05 * np.sin((rows + 2.3 * columns) / 1.9) * np.sin(rows / 11)
    noise = 0.02 * np.random.default_rng(0).standard_normal(strokes.shape)
    assert grid_energy(plane(photo) + strokes + noise, plane(photo)).total < 1.5


def test_the_photos_own_grid_is_taken_off() -> None:
    grid = torch.zeros_like(smooth())
    grid[..., ::8, :] = 0.04
    photo = smooth() + grid
    assert grid_energy(plane(photo), plane(photo)).total == 1


def test_flat_blocks_are_the_quarter_that_varies_least() -> None:
    photo = plane(smooth(256, 256))
    photo[:128] += np.random.default_rng(0).standard_normal((128, 256))
    blocks = flat_blocks(photo)
    assert all(top >= 128 for top, _ in blocks)
    assert len(blocks) == round(0.25 * 7 * 7)


def test_a_flat_picture_gives_a_number() -> None:
    flat = np.full((64, 64), 0.5)
    assert grid_energy(flat, flat).total == 1


def test_every_point_belongs_to_one_period() -> None:
    points = [point for period in (2, 4, 8) for point in lattice(period)]
    assert len(points) == len(set(points))
    mirrored = {(-row % BLOCK_PX, -column % BLOCK_PX) for row, column in points}
    assert len(set(points) | mirrored) == 63


def test_sizes() -> None:
    with pytest.raises(ValueError, match="at least 64x64"):
        grid_energy(np.zeros((63, 64)), np.zeros((63, 64)))
    with pytest.raises(ValueError, match="equal"):
        grid_energy(np.zeros((64, 65)), np.zeros((64, 64)))
