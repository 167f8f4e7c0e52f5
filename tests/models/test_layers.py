import shutil
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nst.models.layers import ReflectConv2d, edge_pad, reflect_pad, spread_blocks, upsample_2x


def images(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.rand(2, 3, 12, 17, generator=torch.Generator().manual_seed(0)).to(dtype)


@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (9, 1), (3, 2)])
def test_a_reflecting_convolution_is_torchs(kernel_size: int, stride: int) -> None:
    ours = ReflectConv2d(3, 5, kernel_size=kernel_size, stride=stride)
    theirs = torch.nn.Conv2d(
        3, 5, kernel_size, stride, padding=kernel_size // 2, padding_mode="reflect"
    )
    theirs.load_state_dict(ours.state_dict())
    assert torch.equal(ours(images()), theirs(images()))


def test_autocast_pads_and_upsamples_in_half_precision() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        padded, upsampled = reflect_pad(images(), 2), upsample_2x(images())
    assert padded.dtype == upsampled.dtype == torch.bfloat16
    assert torch.equal(padded, F.pad(images(torch.bfloat16), (2,) * 4, mode="reflect"))
    assert torch.equal(
        upsampled, images(torch.bfloat16).repeat_interleave(2, 2).repeat_interleave(2, 3)
    )


def test_without_autocast_the_precision_stays() -> None:
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        assert reflect_pad(images(dtype), 1).dtype == upsample_2x(images(dtype)).dtype == dtype


def test_blocks_become_pixels_row_by_row() -> None:
    blocks = torch.arange(8.0).view(1, 8, 1, 1) + torch.tensor([0.0, 100.0])
    pixels = spread_blocks(blocks, 2)
    assert pixels.shape == (1, 2, 2, 4)
    assert pixels[0, 0].tolist() == [[0, 2, 100, 102], [4, 6, 104, 106]]
    assert pixels[0, 1].tolist() == [[1, 3, 101, 103], [5, 7, 105, 107]]


def test_pixels_as_they_are() -> None:
    assert torch.equal(spread_blocks(images(), 1), images())


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile generates C++")
def test_a_compiled_pad_between_convolutions_learns_the_same() -> None:
    torch.manual_seed(0)
    first, second = torch.nn.Conv2d(16, 16, 3), torch.nn.Conv2d(16, 3, 3)
    photos = torch.rand(1, 16, 24, 24)

    def between(x: Tensor) -> Tensor:
        result: Tensor = second(edge_pad(first(x), 2))
        return result

    def learned(function: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            result = function(photos).float()
        return result, torch.autograd.grad(result.square().sum(), first.weight)[0]

    (result, gradient), (compiled, theirs) = learned(between), learned(torch.compile(between))
    torch.testing.assert_close(compiled, result)
    torch.testing.assert_close(theirs, gradient, rtol=0, atol=0.02 * float(gradient.abs().max()))
