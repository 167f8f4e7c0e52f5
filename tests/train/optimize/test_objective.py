from typing import Any

import pytest
import torch
from torch import Tensor

from nst.models import StyleLoss, VGGFeatures, content_distance, total_variation
from nst.train.optimize.objective import DEFAULT_BALANCE, Objective, ObjectiveSettings, Painting

LAYERS = ("relu1_1", "relu2_1", "relu3_1")


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return VGGFeatures(LAYERS)


def image(side: int = 48, *, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


def settings(**changes: Any) -> ObjectiveSettings:
    return ObjectiveSettings(
        **{"content_layers": ("relu3_1",), "style_layers": ("relu1_1", "relu2_1"), **changes}
    )


def test_the_total_is_the_weighted_sum_of_its_terms(vgg: VGGFeatures) -> None:
    picture, content, painting = image(seed=1), image(seed=2), image(64, seed=3)
    chosen = settings(content_weight=2.0, style_weight=5.0, tv_weight=0.5)
    terms = Objective(chosen, vgg=vgg, content=content, paintings=[Painting(painting)])(picture)
    style = StyleLoss(vgg(painting, layers=["relu1_1", "relu2_1"]))(vgg(picture))
    torch.testing.assert_close(terms.style, style)
    content_loss = content_distance(vgg(picture)["relu3_1"], vgg(content)["relu3_1"])
    torch.testing.assert_close(terms.content, content_loss)
    torch.testing.assert_close(
        terms.total, 2 * content_loss + 5 * style + 0.5 * total_variation(picture)
    )


def test_paintings_count_by_their_weights(vgg: VGGFeatures) -> None:
    paintings = [image(seed=4), image(seed=5)]
    alone = [
        Objective(settings(), vgg=vgg, content=image(), paintings=[Painting(p)])(image(seed=1))
        for p in paintings
    ]
    both = [Painting(paintings[0], 3.0), Painting(paintings[1], 1.0)]
    mixed = Objective(settings(), vgg=vgg, content=image(), paintings=both)(image(seed=1))
    torch.testing.assert_close(mixed.style, 0.75 * alone[0].style + 0.25 * alone[1].style)


def test_a_weight_of_0_leaves_its_part_out(vgg: VGGFeatures) -> None:
    texture = Objective(
        settings(content_weight=0), vgg=vgg, content=image(), paintings=[Painting(image(seed=3))]
    )
    assert texture(image(seed=1)).content == 0
    rebuilt = Objective(settings(style_weight=0), vgg=vgg, content=image())
    assert rebuilt(image(seed=1)).style == 0
    assert rebuilt(image()).total == 0


def test_only_layers_that_count_are_asked_for() -> None:
    assert settings(content_weight=0).layers == ["relu1_1", "relu2_1"]
    assert settings(style_weight=0).layers == ["relu3_1"]
    assert settings().layers == ["relu3_1", "relu1_1", "relu2_1"]


def test_weights_left_open_are_those_of_the_form() -> None:
    for form, balance in DEFAULT_BALANCE.items():
        assert settings(form=form).balance == balance
    assert settings(form="course", style_weight=7).balance == (10.0, 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"content_weight": 0, "style_weight": 0}, "cannot both be 0"),
        ({"content_weight": -1}, "at least 0"),
        ({"tv_weight": float("inf")}, "at least 0"),
        ({"style_layers": ()}, "at least one style layer"),
        ({"content_layers": ("relu3_1", "relu3_1")}, "each once"),
    ],
)
def test_settings_out_of_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**changes)


@pytest.mark.parametrize("weights", [[], [0.0], [1.0, -1.0], [float("inf")]])
def test_weights_of_paintings_out_of_range(weights: list[float], vgg: VGGFeatures) -> None:
    paintings = [Painting(image(), weight) for weight in weights]
    with pytest.raises(ValueError, match="at least one painting, and weights above 0"):
        Objective(settings(), vgg=vgg, content=image(), paintings=paintings)
