from typing import Any

import pytest
import torch
from PIL import Image

from nst.models import VGGFeatures
from nst.train.optimize.coarse_to_fine import (
    CoarseToFine,
    Moment,
    Pictures,
    Scale,
    plan_scales,
)
from nst.train.optimize.objective import ObjectiveSettings
from nst.train.painting import at_size, to_picture


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    return VGGFeatures(("relu1_1", "relu2_1"), padding="reflect")


SETTINGS = ObjectiveSettings(content_layers=("relu2_1",), style_layers=("relu1_1", "relu2_1"))


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    small = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(seed))
    return to_picture(small).resize((width, height), Image.Resampling.BICUBIC)


def run(vgg: VGGFeatures, scales: list[Scale], **changes: Any) -> CoarseToFine:
    pictures = Pictures(content=picture(96, 64), paintings=[(picture(80, 80, 1), 1.0)], start=None)
    return CoarseToFine(pictures._replace(**changes), SETTINGS, vgg=vgg, scales=scales)


def test_sizes_double_and_steps_are_divided() -> None:
    assert plan_scales(512, steps=300) == [Scale(256, 150), Scale(512, 150)]
    assert plan_scales(1024, steps=301) == [Scale(256, 101), Scale(512, 100), Scale(1024, 100)]
    assert plan_scales(500, steps=300) == [Scale(500, 300)]
    assert plan_scales(512, steps=300, scales=1) == [Scale(512, 300)]
    assert plan_scales(1024, steps=2) == [Scale(512, 1), Scale(1024, 1)]


def test_plans_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="2 steps are too few for 3 scales"):
        plan_scales(1024, steps=2, scales=3)


def test_every_scale_begins_where_the_last_one_ended(vgg: VGGFeatures) -> None:
    moments: list[Moment] = []
    optimisation = run(vgg, [Scale(48, 12), Scale(96, 6)])
    optimisation.on_moment = lambda moment: moments.append(
        moment._replace(picture=moment.picture.clone())
    )
    assert optimisation.best is None
    result = optimisation.run()
    assert [moment.step for moment in moments] == list(range(1, 19))
    assert [tuple(m.picture.shape[-2:]) for m in moments] == [(32, 48)] * 12 + [(64, 96)] * 6
    assert torch.equal(result, moments[-1].picture)
    enlarged = at_size(to_picture(moments[11].picture[0]).resize((96, 64)), 96)
    assert (moments[12].picture - enlarged).abs().mean() < 0.03


def test_noise_comes_from_the_seed(vgg: VGGFeatures) -> None:
    first, again = (run(vgg, [Scale(48, 1)]).run() for _ in range(2))
    assert torch.equal(first, again)
    other = run(vgg, [Scale(48, 1)])
    other.seed = 1
    assert not torch.equal(first, other.run())


def test_it_can_begin_with_a_picture_of_another_size(vgg: VGGFeatures) -> None:
    grey = Image.new("RGB", (10, 10), (51, 51, 51))
    first = run(vgg, [Scale(96, 1)], start=grey).run()
    torch.testing.assert_close(first, torch.full((1, 3, 64, 96), 0.2))


def test_paintings_keep_their_size_relative_to_the_result(vgg: VGGFeatures) -> None:
    optimisation = run(vgg, [Scale(48, 1)], style_scale=0.75)
    assert [p.image.shape[-1] for p in optimisation.paintings(Scale(48, 1))] == [36]
    assert [p.image.shape[-1] for p in optimisation.paintings(Scale(96, 1))] == [72]


def test_pictures_are_never_enlarged() -> None:
    assert at_size(picture(40, 20), 100).shape == (1, 3, 20, 40)
    assert at_size(picture(200, 3), 100).shape == (1, 3, 2, 100)
