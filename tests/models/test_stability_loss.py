import pytest
import torch
from torch import Generator, Tensor, nn

from nst.models import StabilityLoss
from nst.models.stability_loss import FLOW_SIZES_PX, add_noise, random_flows

SEEDS = [1, 2, 3]


class Negative(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return 1 - images


class ScreenPattern(nn.Module):
    """A checkerboard of 2 px that stays where it is."""

    def forward(self, images: Tensor) -> Tensor:
        rows = torch.arange(images.shape[-2])[:, None]
        columns = torch.arange(images.shape[-1])
        return images + 0.1 * ((rows // 2 + columns // 2) % 2)


@pytest.fixture
def photos() -> Tensor:
    """Smooth, in the middle of the range."""
    coarse = torch.rand(3, 3, 6, 6, generator=Generator().manual_seed(0))
    return 0.2 + 0.6 * nn.functional.interpolate(coarse, (96, 96), mode="bicubic").clamp(0, 1)


def generators(count: int) -> list[Generator]:
    return [Generator().manual_seed(seed) for seed in range(count)]


def loss(net: nn.Module, photos: Tensor) -> float:
    return float(StabilityLoss()(net, photos, net(photos), seeds=SEEDS))


def test_only_the_noise_is_left_of_a_change_of_each_pixel(photos: Tensor) -> None:
    assert loss(Negative(), photos) < (4 / 255) ** 2


def test_a_pattern_fixed_on_the_screen_pays(photos: Tensor) -> None:
    assert loss(ScreenPattern(), photos) > 10 * loss(Negative(), photos)


def test_the_gradient_reaches_the_network_through_both(photos: Tensor) -> None:
    net = nn.Conv2d(3, 3, 3, padding=1)
    with torch.no_grad():
        still = net(photos)
    stability = StabilityLoss()
    torch.autograd.backward(stability(net, photos, still, seeds=SEEDS))
    alone = net.weight.grad
    assert alone is not None
    alone = alone.clone()
    net.zero_grad()
    torch.autograd.backward(stability(net, photos, net(photos), seeds=SEEDS))
    assert net.weight.grad is not None
    assert not torch.allclose(alone, net.weight.grad)


def test_each_photo_has_a_seed_of_its_own(photos: Tensor) -> None:
    def alone(photo: int, seed: int) -> float:
        one = photos[photo : photo + 1]
        return float(StabilityLoss()(ScreenPattern(), one, ScreenPattern()(one), seeds=[seed]))

    assert alone(0, 1) == alone(0, 1) != alone(0, 2)
    flows = random_flows(photos, [Generator().manual_seed(seed) for seed in SEEDS])
    last = random_flows(photos[2:], [Generator().manual_seed(SEEDS[2])])
    torch.testing.assert_close(flows[2:], last, rtol=0, atol=0)


def test_flows_are_drawn_over_the_whole_range() -> None:
    flows = random_flows(torch.zeros(200, 3, 24, 24), generators(200))
    sizes = flows.square().sum(1).mean((1, 2)).sqrt()
    assert FLOW_SIZES_PX[0] - 1e-3 < float(sizes.min()) < 0.3
    assert 7 < float(sizes.max()) < FLOW_SIZES_PX[1] + 1e-3
    assert 1.2 < float(sizes.median()) < 1.7


def test_noise_differs_between_the_photos() -> None:
    noisy = add_noise(torch.zeros(50, 3, 16, 16), generators(50))
    strengths = noisy.std((1, 2, 3)) * 255
    assert float(strengths.min()) < 0.5
    assert 3.5 < float(strengths.max()) < 4.5
