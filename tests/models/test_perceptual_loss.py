import pytest
import torch

from nst.models import PerceptualLoss, VGGFeatures


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


def test_the_border_of_a_picture_counts_as_its_inside_does(vgg: VGGFeatures) -> None:
    """Flat pictures of two sizes differ in nothing but how much of them is border."""
    painting, stylized = torch.full((1, 3, 256, 256), 0.8), torch.full((1, 3, 160, 160), 0.8)
    reflecting = VGGFeatures(vgg.layers, padding="reflect")
    assert PerceptualLoss(painting, vgg=reflecting)(stylized, stylized).style.item() < 1e-8
    assert PerceptualLoss(painting, vgg=vgg)(stylized, stylized).style.item() > 1e-4


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
