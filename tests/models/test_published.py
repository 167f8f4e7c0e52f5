"""The pytorch/examples network, written again from its description, is the reference."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nst.models import ModelFileError, load_trained_net
from nst.models.published import from_published, is_published

State = dict[str, Tensor]


def published_state(width: int = 4, blocks: int = 2, *, old: bool = False) -> State:
    """Random weights with the keys of a published checkpoint; of an old one, if asked for."""
    generator = torch.Generator().manual_seed(0)
    state: State = {}

    def conv(name: str, channels_in: int, channels_out: int, kernel: int) -> None:
        shape = (channels_out, channels_in, kernel, kernel)
        scale = (channels_in * kernel**2) ** -0.5
        state[f"{name}.conv2d.weight"] = torch.randn(shape, generator=generator) * scale
        state[f"{name}.conv2d.bias"] = torch.randn(channels_out, generator=generator) * 0.1

    def norm(name: str, channels: int) -> None:
        state[f"{name}.weight"] = torch.rand(channels, generator=generator) + 0.5
        state[f"{name}.bias"] = torch.randn(channels, generator=generator) * 0.1
        if old:
            state[f"{name}.running_mean"] = torch.randn(channels, generator=generator)
            state[f"{name}.running_var"] = torch.rand(channels, generator=generator)

    conv("conv1", 3, width, 9)
    norm("in1", width)
    conv("conv2", width, 2 * width, 3)
    norm("in2", 2 * width)
    conv("conv3", 2 * width, 4 * width, 3)
    norm("in3", 4 * width)
    for number in range(1, blocks + 1):
        for half in (1, 2):
            conv(f"res{number}.conv{half}", 4 * width, 4 * width, 3)
            norm(f"res{number}.in{half}", 4 * width)
    conv("deconv1", 4 * width, 2 * width, 3)
    norm("in4", 2 * width)
    conv("deconv2", 2 * width, width, 3)
    norm("in5", width)
    conv("deconv3", width, 3, 9)
    state["deconv3.conv2d.weight"] *= 60.0  # the published range is 0 to 255
    state["deconv3.conv2d.bias"] += 120.0
    return state


def published_forward(state: State, x: Tensor, blocks: int = 2) -> Tensor:
    """Images in 0 to 255 to images around it, for sizes that are multiples of 4."""

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = state[f"{name}.conv2d.weight"]
        x = F.pad(x, [weight.shape[-1] // 2] * 4, mode="reflect")
        return F.conv2d(x, weight, state[f"{name}.conv2d.bias"], stride=stride)

    def norm(name: str, x: Tensor) -> Tensor:
        mean = x.mean(dim=(2, 3), keepdim=True)
        variance = x.var(dim=(2, 3), keepdim=True, unbiased=False)
        scale, shift = (state[f"{name}.{key}"].view(1, -1, 1, 1) for key in ("weight", "bias"))
        return (x - mean) / (variance + 1e-5).sqrt() * scale + shift

    def up(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    x = norm("in1", conv("conv1", x)).relu()
    x = norm("in2", conv("conv2", x, stride=2)).relu()
    x = norm("in3", conv("conv3", x, stride=2)).relu()
    for number in range(1, blocks + 1):
        inner = norm(f"res{number}.in1", conv(f"res{number}.conv1", x)).relu()
        x = x + norm(f"res{number}.in2", conv(f"res{number}.conv2", inner))
    x = norm("in4", conv("deconv1", up(x))).relu()
    x = norm("in5", conv("deconv2", up(x))).relu()
    return conv("deconv3", x)


@pytest.mark.parametrize("old", [False, True])
def test_the_pictures_are_the_published_ones(old: bool) -> None:
    state = published_state(old=old)
    images = torch.rand(2, 3, 48, 64)
    with torch.no_grad():
        found = from_published(state)(images) * 255
        expected = published_forward(state, images * 255)
    assert expected.std() > 10, "the reference gives a picture"
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=0.05)


def test_the_state_is_not_changed() -> None:
    state = published_state()
    before = {key: value.clone() for key, value in state.items()}
    from_published(state)
    assert all(torch.equal(state[key], before[key]) for key in before)


@pytest.mark.parametrize("suffix", ["pth", "model"])
def test_files(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"mosaic.{suffix}"
    torch.save(published_state(old=True), path)
    trained = load_trained_net(path)
    assert trained.style == "mosaic"
    assert trained.net.architecture == {
        "name": "TransformerNet",
        "width": 4,
        "residual_blocks": 2,
    }
    assert not trained.net.training


def test_files_in_the_format_of_their_time(tmp_path: Path) -> None:
    torch.save(
        published_state(old=True),
        tmp_path / "mosaic.model",
        _use_new_zipfile_serialization=False,
    )
    assert load_trained_net(tmp_path / "mosaic.model").style == "mosaic"


def without(key: str) -> Callable[[State], None]:
    return lambda state: state.__delitem__(key)


def reshaped(key: str) -> Callable[[State], None]:
    return lambda state: state.update({key: torch.zeros(2, 3)})


@pytest.mark.parametrize(
    "damage",
    [without("in3.bias"), without("deconv3.conv2d.weight"), reshaped("conv2.conv2d.weight")],
)
def test_incomplete_checkpoints(damage: Callable[[State], None]) -> None:
    state = published_state()
    damage(state)
    with pytest.raises(ModelFileError, match="not a whole pytorch/examples checkpoint") as caught:
        from_published(state)
    assert "\n" not in str(caught.value)


def test_other_checkpoints_are_told_apart() -> None:
    assert is_published(published_state())
    assert not is_published({"state_dict": {}})


@pytest.mark.parametrize(
    "extra", [{"epoch": 3}, {"conv1.conv2d.weight": torch.zeros(0, 3, 9, 9)}, {"in1.weight": 1}]
)
def test_checkpoints_with_something_else_inside(extra: dict[str, object]) -> None:
    with pytest.raises(ModelFileError, match="not a whole pytorch/examples checkpoint"):
        from_published({**published_state(), **extra})
