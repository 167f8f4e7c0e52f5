import pytest
import torch

from nst.models import VGGFeatures
from nst.models.perceptual_loss import DEFAULT_STYLE_WEIGHT
from nst.train.evaluate.perceptual import PerceptualJudge


@pytest.fixture(scope="module")
def judge() -> PerceptualJudge:
    vgg = VGGFeatures(("relu1_1", "relu2_1", "relu3_1"), padding="reflect")
    return PerceptualJudge(
        image(seed=1), vgg=vgg, content_layers=("relu3_1",), style_layers=("relu1_1", "relu2_1")
    )


def image(*, seed: int) -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) ** (1 + seed)


def test_the_photo_itself_has_content_loss_0(judge: PerceptualJudge) -> None:
    score = judge.score(image(seed=0), judge.content_target(image(seed=0)))
    assert score.content == 0
    assert score.style > 0.01


def test_the_painting_itself_has_style_loss_0(judge: PerceptualJudge) -> None:
    score = judge.score(image(seed=1), judge.content_target(image(seed=0)))
    assert score.style == 0
    assert score.style_by_layer == {"relu1_1": 0, "relu2_1": 0}
    assert score.content > 0.01


def test_totals_are_made_of_the_layers(judge: PerceptualJudge) -> None:
    score = judge.score(image(seed=2), judge.content_target(image(seed=0)))
    assert score.style == pytest.approx(sum(score.style_by_layer.values()) / 2)
    assert score.content == score.content_by_layer["relu3_1"]
    assert score.total == pytest.approx(score.content + DEFAULT_STYLE_WEIGHT * score.style)
