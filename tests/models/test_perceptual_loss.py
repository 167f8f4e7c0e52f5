import pytest
import torch

from nst.models import PerceptualLoss, StyleLoss, VGGFeatures
from nst.models.perceptual_loss import stride, trim
from nst.models.vgg import padding_reach


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return VGGFeatures(("relu1_1", "relu2_1", "relu3_1", "relu4_1"))


def images(batch: int = 1, side: int = 96, *, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def test_the_photo_has_no_content_loss_and_the_painting_no_style_loss(vgg: VGGFeatures) -> None:
    painting, photo = images(seed=1) / 2, images(seed=2)
    loss = PerceptualLoss(painting, vgg=vgg)
    assert loss(photo, photo).content.item() == 0
    assert loss(photo, photo).style.item() > 0.01
    assert loss(painting, photo).style.item() == pytest.approx(0, abs=1e-9)
    assert loss(painting, photo).content.item() > 0.01


def test_the_gradient_reaches_the_stylized_images_alone(vgg: VGGFeatures) -> None:
    stylized, photos = images(seed=1).requires_grad_(), images(seed=2).requires_grad_()
    PerceptualLoss(images(), vgg=vgg)(stylized, photos).total.backward()
    assert stylized.grad is not None
    assert stylized.grad.abs().sum() > 0
    assert photos.grad is None


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu3_1", "relu4_1"])
def test_features_inside_the_reach_of_the_padding_are_those_of_a_larger_picture(
    layer: str, vgg: VGGFeatures
) -> None:
    large = images(side=160)
    small = large[..., 32:128, 32:128]
    reach = padding_reach(layer, arch="vgg19")
    margin, side = 32 // stride(layer), 96 // stride(layer)
    whole = vgg(large)[layer][..., margin : margin + side, margin : margin + side]
    cut = vgg(small)[layer]
    for cells, equal in ((reach, True), (reach - 1, False)):
        inner = slice(cells, side - cells)
        same = torch.allclose(cut[..., inner, inner], whole[..., inner, inner], atol=1e-2)
        assert same == equal


def test_reaches() -> None:
    layers = ("relu1_1", "relu1_2", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    assert [padding_reach(layer, arch="vgg19") for layer in layers] == [1, 2, 2, 3, 4, 5]
    assert padding_reach("relu4_3", arch="vgg16") == 6


def test_at_least_half_of_each_side_is_kept() -> None:
    features = torch.arange(64.0).view(1, 1, 8, 8)
    assert torch.equal(trim(features, 1), features[..., 1:7, 1:7])
    assert torch.equal(trim(features, 4), features[..., 2:6, 2:6])
    assert trim(torch.zeros(1, 1, 1, 3), 4).shape == (1, 1, 1, 3)


def test_features_cover_the_picture(vgg: VGGFeatures) -> None:
    loss = PerceptualLoss(images(), vgg=vgg)
    sides = {layer: x.shape[-1] for layer, x in loss.features(images(side=160), vgg.layers).items()}
    assert sides == {"relu1_1": 160, "relu2_1": 80, "relu3_1": 40, "relu4_1": 16}


def test_the_border_of_a_picture_counts_as_its_inside_does(vgg: VGGFeatures) -> None:
    """Flat pictures of two sizes differ in nothing but how much of them is border."""
    painting, stylized = torch.full((1, 3, 256, 256), 0.8), torch.full((1, 3, 160, 160), 0.8)
    assert PerceptualLoss(painting, vgg=vgg)(stylized, stylized).style.item() < 1e-8
    plain = StyleLoss(vgg(painting))
    assert plain(vgg(stylized)).item() > 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"content_layers": []}, "at least one content layer"),
        ({"style_layers": ["relu1_1", "relu1_1"]}, "each once"),
        ({"style_weight": -1.0}, "at least 0"),
        ({"tv_weight": float("nan")}, "at least 0"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], message: str, vgg: VGGFeatures) -> None:
    with pytest.raises(ValueError, match=message):
        PerceptualLoss(images(), vgg=vgg, **settings)  # type: ignore[arg-type]
