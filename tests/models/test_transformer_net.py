import pytest
import torch

from nst.models import NETS, TransformerNet, build_net, knob_parameters


@pytest.mark.parametrize("size", [(16, 16), (17, 19), (37, 53), (64, 48)])
def test_output_has_the_size_of_the_input(size: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size)
    assert TransformerNet(width=4, residual_blocks=1)(images).shape == images.shape


def test_default_has_the_published_number_of_parameters() -> None:
    # 1,679,235: the pytorch/examples network, which has no strength knob.
    net = TransformerNet()
    knob = sum(value.numel() for value in knob_parameters(net))
    assert sum(value.numel() for value in net.parameters()) == 1_679_235 + knob


def test_cropping_keeps_the_top_left_corner() -> None:
    torch.manual_seed(0)
    net = TransformerNet(width=4, residual_blocks=0).eval()
    for norm in (m for m in net.modules() if isinstance(m, torch.nn.InstanceNorm2d)):
        norm.register_forward_hook(lambda module, inputs, output: inputs[0])
    image = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        whole, cut = net(image), net(image[..., :125, :125])
    # Away from the cut nothing changes: the pixels stay where they are.
    torch.testing.assert_close(cut[..., :64, :64], whole[..., :64, :64])


def test_borders_are_as_bright_as_the_rest() -> None:
    torch.manual_seed(0)
    net = TransformerNet(width=8, residual_blocks=2).eval()
    with torch.no_grad():
        flat = net(torch.full((1, 3, 64, 64), 0.5))
    torch.testing.assert_close(flat, flat.mean(dim=(2, 3), keepdim=True).expand_as(flat))


def test_architecture_makes_the_same_network_again() -> None:
    net = TransformerNet(width=5, residual_blocks=2)
    again = build_net(net.architecture)
    again.load_state_dict(net.state_dict())
    image = torch.rand(1, 3, 20, 20)
    torch.testing.assert_close(again(image), net(image), rtol=0, atol=0)


def test_nets_go_by_the_names_of_their_classes() -> None:
    assert all(name == cls.__name__ for name, cls in NETS.items())


@pytest.mark.parametrize("arguments", [{"width": 0}, {"residual_blocks": -1}])
def test_arguments_out_of_range(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="width >= 1"):
        TransformerNet(**arguments)


@pytest.mark.parametrize(
    "architecture", [{"name": "Other"}, {}, {"name": "TransformerNet", "depth": 3}]
)
def test_build_net_refuses_what_it_does_not_know(architecture: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown network|does not take"):
        build_net(architecture)
