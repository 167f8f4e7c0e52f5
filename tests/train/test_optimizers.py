import copy

import pytest
import torch
from torch import Tensor, nn

from nst.train.optimizers import ADAM_RMS, MuonAdam, is_kernel, orthogonalize

LR = 1e-2


def small_net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Conv2d(16, 3, 1)
    )


def kernel(net: nn.Sequential, number: int) -> Tensor:
    convolution = net[number]
    assert isinstance(convolution, nn.Conv2d)
    return convolution.weight


def learn(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    random = torch.Generator().manual_seed(1)
    for _ in range(steps):
        images = torch.rand((2, 3, 12, 12), generator=random)
        optimizer.zero_grad()
        net(images).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("shape", [(1, 16, 144), (3, 64, 27), (2, 8, 8)])
def test_orthogonalized_matrices(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(shape)
    found = orthogonalize(matrices)
    values = torch.linalg.svdvals(found)
    assert found.shape == shape
    assert 0.5 < values.min() <= values.max() < 1.3
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    nearest = left @ right
    assert ((found * nearest).sum((1, 2)) / nearest.square().sum((1, 2)) > 0.8).all()


def test_a_step_is_as_long_as_one_of_adam() -> None:
    net = small_net()
    before = copy.deepcopy(net)
    learn(net, MuonAdam([{"params": net.parameters()}], lr=LR), 1)
    for moved, was in zip(net.parameters(), before.parameters(), strict=True):
        length = (moved - was).square().mean().sqrt()
        if is_kernel(moved):
            assert float(length.detach()) == pytest.approx(LR * ADAM_RMS, rel=0.3)


def test_the_rest_is_adam() -> None:
    """Also a kernel of so few channels that there is nothing to balance."""
    net = small_net()
    other = copy.deepcopy(net)
    learn(net, MuonAdam([{"params": net.parameters()}], lr=LR), 1)
    learn(other, torch.optim.Adam(other.parameters(), lr=LR), 1)
    for ours, theirs in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs) != is_kernel(ours)
    assert not is_kernel(kernel(net, 4))


def test_a_state_is_taken_up_again() -> None:
    net = small_net()
    optimizer = MuonAdam([{"params": net.parameters()}], lr=LR)
    learn(net, optimizer, 3)
    again = copy.deepcopy(net)
    other = MuonAdam([{"params": again.parameters()}], lr=LR)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    learn(net, optimizer, 2)
    learn(again, other, 2)
    for ours, theirs in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_what_has_no_gradient_stays() -> None:
    net = small_net()
    optimizer = MuonAdam([{"params": net.parameters()}], lr=LR)
    learn(net, optimizer, 2)
    before = copy.deepcopy(net)
    net(torch.rand(1, 3, 12, 12)).mean().backward()
    for value in net[2].parameters():
        value.grad = None
    optimizer.step()
    assert torch.equal(kernel(net, 2), kernel(before, 2))
    assert not torch.equal(kernel(net, 0), kernel(before, 0))
    assert kernel(net, 0).grad is not None


def test_a_closure_is_called() -> None:
    net = small_net()
    optimizer = MuonAdam([{"params": net.parameters()}], lr=LR)

    def closure() -> Tensor:
        loss: Tensor = net(torch.ones(1, 3, 12, 12)).square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    before = float(closure().detach())
    optimizer.zero_grad()
    assert float(optimizer.step(closure).detach()) == pytest.approx(before)
    assert float(closure().detach()) < before
