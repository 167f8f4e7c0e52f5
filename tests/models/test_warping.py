import pytest
import torch
from torch import Generator, Tensor

from nst.models import inside, smooth_flow, warp


def flow(size_px: float, *, seed: int = 0) -> Tensor:
    return smooth_flow(120, 160, size_px=size_px, generator=Generator().manual_seed(seed))


def test_a_flow_is_smooth_and_as_long_as_asked_for() -> None:
    made = flow(4)
    assert made.shape == (2, 120, 160)
    assert float(made.square().sum(0).mean().sqrt()) == pytest.approx(4, rel=1e-5)
    assert float((made[:, 1:] - made[:, :-1]).abs().max()) < 0.5
    assert torch.equal(made, flow(4))
    assert not torch.equal(made, flow(4, seed=1))
    torch.testing.assert_close(made, 8 * flow(0.5))


def test_each_image_moves_along_its_own_flow() -> None:
    images = torch.rand(2, 3, 40, 50, generator=Generator().manual_seed(0))
    flows = torch.zeros(2, 2, 40, 50)
    flows[0, 0], flows[1, 1] = 5, -3
    moved = warp(images, flows)
    torch.testing.assert_close(moved[0, :, :, :44], images[0, :, :, 5:49], atol=1e-4, rtol=0)
    torch.testing.assert_close(moved[1, :, 4:], images[1, :, 1:37], atol=1e-4, rtol=0)


def test_the_mask_leaves_out_what_comes_from_near_the_border() -> None:
    flows = torch.zeros(2, 2, 60, 80)
    flows[1, 0] = 10
    still, moved = inside(flows)
    for mask, last_column in ((still, 71), (moved, 61)):
        rows, columns = mask.nonzero().T
        assert (rows.min(), rows.max()) == (8, 51)
        assert (columns.min(), columns.max()) == (8, last_column)
