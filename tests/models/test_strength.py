import pytest
import torch
from torch import Generator, Tensor, nn

from nst.models import CompactNet, StyleNet, StyleNorm, TransformerNet, at_strength, knob_parameters


def net_with_knob(net: StyleNet) -> StyleNet:
    torch.manual_seed(0)
    for value in knob_parameters(net):
        nn.init.normal_(value)
    return net.eval()


@pytest.fixture(params=["CompactNet", "TransformerNet"])
def net(request: pytest.FixtureRequest) -> StyleNet:
    torch.manual_seed(0)
    small = CompactNet(8, 4, 1) if request.param == "CompactNet" else TransformerNet(4, 1)
    return net_with_knob(small)


@pytest.fixture
def photo() -> Tensor:
    return torch.rand(2, 3, 37, 50, generator=Generator().manual_seed(0))


def test_the_ends_of_the_knob(net: StyleNet, photo: Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(net(photo, torch.tensor(1.0)), net(photo), rtol=0, atol=0)
        torch.testing.assert_close(net(photo, torch.tensor(0.0)), photo, rtol=0, atol=0)


def test_between_them_it_is_more_than_a_mix_of_pixels(net: StyleNet, photo: Tensor) -> None:
    with torch.no_grad():
        half, mixed = net(photo, torch.tensor(0.5)), (net(photo) + photo) / 2
        assert (half - mixed).abs().mean() > 0.005
        for value in knob_parameters(net):
            value.zero_()
        torch.testing.assert_close(net(photo, torch.tensor(0.5)), mixed)


def test_strength_ends_with_the_pass(net: StyleNet, photo: Tensor) -> None:
    with torch.no_grad():
        full = net(photo)
        net(photo, torch.tensor(0.3))
        with pytest.raises(ValueError, match="stop"), at_strength(net, torch.tensor(0.3)):
            raise ValueError("stop")
        torch.testing.assert_close(net(photo), full, rtol=0, atol=0)


def test_a_norm_moves_in_proportion() -> None:
    norm = StyleNorm(2)
    with torch.no_grad():
        norm.weaker_weight.copy_(torch.tensor([1.0, -2.0]))
        norm.weaker_bias.copy_(torch.tensor([4.0, 0.0]))
    with at_strength(norm, torch.tensor(0.75)):
        weight, bias = norm.scale_and_shift()
    torch.testing.assert_close(weight, torch.tensor([1.25, 0.5]))
    torch.testing.assert_close(bias, torch.tensor([1.0, 0.0]))


def test_every_parameter_has_a_gradient_at_full_strength(net: StyleNet, photo: Tensor) -> None:
    """Training on several devices asks for that."""
    net(photo, torch.tensor(1.0)).sum().backward()
    assert all(value.grad is not None for value in net.parameters())


def test_weights_without_a_knob(photo: Tensor) -> None:
    torch.manual_seed(0)
    net = TransformerNet(4, 1)
    state = {key: value for key, value in net.state_dict().items() if "weaker" not in key}
    other = net_with_knob(TransformerNet(4, 1))
    other.load_state_dict(state)
    assert all(not value.any() for value in knob_parameters(other))
    torch.testing.assert_close(other(photo), net(photo))
    assert not any("weaker" in key for key in state)
