from pathlib import Path

import pytest
import torch

import nst.train.evaluate.gatys as gatys
from nst.models import VGGFeatures
from nst.train.evaluate.gatys import GatysCurves, worth
from nst.train.evaluate.perceptual import PerceptualJudge
from nst.train.optimize.descent import noise_like


def image(*, seed: int) -> torch.Tensor:
    return torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GatysCurves:
    monkeypatch.setattr(gatys, "CURVE_STEPS", 12)
    vgg = VGGFeatures(("relu1_1", "relu2_1"), padding="reflect")
    return GatysCurves(judge_of(image(seed=1), vgg), cache=tmp_path / "cache")


def judge_of(painting: torch.Tensor, vgg: VGGFeatures) -> PerceptualJudge:
    return PerceptualJudge(
        painting, vgg=vgg, content_layers=("relu2_1",), style_layers=("relu1_1", "relu2_1")
    )


def test_a_curve_falls_and_is_the_judges_loss(curves: GatysCurves) -> None:
    curve = curves.curve(image(seed=0))
    assert len(curve) == 12
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < 0.8 * curve[0]
    noise = noise_like(image(seed=0), seed=0)
    first = curves.judge.score(noise, curves.judge.content_target(image(seed=0)))
    assert curve[0] == pytest.approx(first.total, rel=1e-4)


@pytest.mark.parametrize("damage", ["damaged", "5", "[1.0]", "[null]"])
def test_the_second_time_it_is_read_from_disk(damage: str, curves: GatysCurves) -> None:
    steps: list[int] = []
    first = curves.curve(image(seed=0), steps.append)
    again = curves.curve(image(seed=0), steps.append)
    assert again == first
    assert steps == list(range(1, 13))
    (file,) = curves.cache.iterdir()
    file.write_text(damage)
    assert curves.curve(image(seed=0), steps.append) == pytest.approx(first, rel=1e-3)
    assert len(steps) == 24


def test_another_photo_has_another_curve(curves: GatysCurves) -> None:
    assert curves.key(image(seed=0)) != curves.key(image(seed=2))
    judge = judge_of(image(seed=3), curves.judge.vgg)
    other = GatysCurves(judge, cache=curves.cache)
    assert curves.key(image(seed=0)) != other.key(image(seed=0))


def test_other_weights_under_the_same_name_have_other_curves(curves: GatysCurves) -> None:
    before = curves.key(image(seed=0))
    curves.judge.vgg.get_buffer("conv2_1_weight")[0, 0, 0, 0] += 1
    again = GatysCurves(curves.judge, cache=curves.cache)
    assert again.key(image(seed=0)) != before


def test_what_a_loss_is_worth() -> None:
    curve = [10.0, 5.0, 5.0, 2.0] + [1.0] * 96
    assert worth(20.0, curve) == (1, True, 20.0)
    assert worth(5.0, curve) == (2, True, 5.0)
    assert worth(1.5, curve) == (5, True, 1.5)
    assert worth(0.5, curve) == (100, False, 0.5)
