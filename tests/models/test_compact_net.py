import pytest
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from nst.models import CompactNet, build_net
from nst.models.layers import (
    ComposedConv2d,
    NearestConv2d,
    ResizeConv2d,
    spread_blocks,
)


def image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(16, 16), (17, 19), (37, 53), (64, 48)])
def test_output_has_the_size_of_the_input(size: tuple[int, int]) -> None:
    images = image(2, 3, *size)
    assert CompactNet(width=8, half_width=4, residual_blocks=1)(images).shape == images.shape


def test_a_flat_picture_stays_flat_up_to_its_border() -> None:
    torch.manual_seed(0)
    net = CompactNet(width=8, half_width=4, residual_blocks=2).eval()
    with torch.no_grad():
        flat = net(torch.full((1, 3, 64, 64), 0.5))
    torch.testing.assert_close(flat, flat.mean(dim=(2, 3), keepdim=True).expand_as(flat))


def test_cropping_keeps_the_top_left_corner() -> None:
    torch.manual_seed(0)
    net = CompactNet(width=8, half_width=4, residual_blocks=0).eval()
    for norm in (m for m in net.modules() if isinstance(m, nn.InstanceNorm2d)):
        norm.register_forward_hook(lambda module, inputs, output: inputs[0])
    photo = image(1, 3, 128, 128)
    with torch.no_grad():
        whole, cut = net(photo), net(photo[..., :125, :125])
    # Away from the cut nothing changes: the pixels stay where they are.
    torch.testing.assert_close(cut[..., :64, :64], whole[..., :64, :64])


def test_architecture_makes_the_same_network_again() -> None:
    net = CompactNet(width=6, half_width=5, residual_blocks=2)
    again = build_net(net.architecture)
    again.load_state_dict(net.state_dict())
    photo = image(1, 3, 20, 20)
    torch.testing.assert_close(again(photo), net(photo), rtol=0, atol=0)


def test_other_units() -> None:
    torch.manual_seed(0)
    net = CompactNet(width=8, half_width=4, residual_blocks=1).eval()
    nn.init.normal_(net.out.bias)
    photo = image(1, 3, 24, 32)
    with torch.no_grad():
        before = net.blocks(photo)
        net.rescale(image=1 / 255, result=2.0, centre=3.0)
        torch.testing.assert_close(net.blocks(255 * photo), 2 * before + 3)


@pytest.mark.parametrize("arguments", [{"width": 0}, {"half_width": 0}, {"residual_blocks": -1}])
def test_arguments_out_of_range(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="width and half_width >= 1"):
        CompactNet(**arguments)


def gathered(x: Tensor) -> Tensor:
    """(B, C, 2H, 2W) as blocks of 2x2, (B, 4C, H, W)."""
    batch, channels, height, width = x.shape
    cells = x.view(batch, channels, height // 2, 2, width // 2, 2)
    return cells.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)


def test_blocks_are_what_the_test_takes_them_for() -> None:
    x = image(2, 5, 6, 8)
    assert torch.equal(spread_blocks(gathered(x), 2), x)


def test_a_nearest_convolution_is_upsampling_and_a_convolution() -> None:
    torch.manual_seed(0)
    layer = NearestConv2d(5, 4)
    x = image(2, 5, 9, 12)
    larger = F.interpolate(x, scale_factor=2.0, mode="nearest")
    expected = F.conv2d(larger, layer.weight, layer.bias)
    made = spread_blocks(layer(x), 2)
    assert made.shape == (2, 4, 16, 22)
    torch.testing.assert_close(made, expected)


def test_a_resize_convolution_is_upsampling_and_a_convolution() -> None:
    torch.manual_seed(0)
    layer = ResizeConv2d(5, 4)
    nn.init.normal_(layer.bias)
    x = image(2, 5, 10, 14)
    larger = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    expected = F.conv2d(larger, layer.weight, layer.bias, padding=1)
    made = spread_blocks(layer(gathered(x)), 4)
    assert made.shape == (2, 4, 16, 24)
    torch.testing.assert_close(made, expected[..., 2:-2, 2:-2])


def test_a_resize_convolution_has_no_grid_where_its_input_is_flat() -> None:
    torch.manual_seed(0)
    layer = ResizeConv2d(5, 4)
    nn.init.normal_(layer.bias)
    made = spread_blocks(layer(torch.ones(1, 20, 6, 6)), 4)
    torch.testing.assert_close(made, made.mean(dim=(2, 3), keepdim=True).expand_as(made))


@pytest.mark.parametrize("layer", [NearestConv2d, ResizeConv2d])
def test_layers_on_blocks_keep_their_kernels_alone(layer: type[nn.Module]) -> None:
    assert set(layer(5, 4).state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize("layer", [NearestConv2d(5, 4), ResizeConv2d(5, 4)])
def test_kernels_are_composed_in_full_precision(layer: ComposedConv2d) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        weight, _ = layer.composed()
    assert weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("layer", "channels"), [(NearestConv2d(5, 4), 5), (ResizeConv2d(5, 4), 20)]
)
def test_composed_convolutions_do_the_same(layer: ComposedConv2d, channels: int) -> None:
    x = image(2, channels, 7, 9)
    torch.testing.assert_close(layer.plain()(x), layer(x))
