import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nst.models import (
    ContentLoss,
    StyleLoss,
    TotalVariationLoss,
    content_distance,
    gram_matrix,
    style_distance,
    total_variation,
)

Array = NDArray[np.float64]


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def numpy_gram(x: Array) -> Array:
    """One image (C, H, W), written as the paper's sum over positions."""
    channels, height, width = x.shape
    gram = np.zeros((channels, channels))
    for row in range(height):
        for column in range(width):
            gram += np.outer(x[:, row, column], x[:, row, column])
    normalised: Array = gram / (channels * height * width)
    return normalised


def test_gram_matrix_is_the_papers_sum() -> None:
    x = features(2, 3, 4, 5)
    expected = np.stack([numpy_gram(image) for image in x.numpy()])
    np.testing.assert_allclose(gram_matrix(x).numpy(), expected, rtol=1e-12)


def test_gram_matrix_in_half_precision_is_float32_and_does_not_overflow() -> None:
    x = torch.full((1, 4, 64, 64), 300.0, dtype=torch.float16)
    gram = gram_matrix(x)
    assert gram.dtype == torch.float32
    torch.testing.assert_close(gram, torch.full((1, 4, 4), 300.0**2 / 4))


def test_gram_matrix_ignores_autocast() -> None:
    x = features(1, 8, 16, 16).float()
    with torch.autocast("cpu", torch.bfloat16):
        inside = gram_matrix(x)
    torch.testing.assert_close(inside, gram_matrix(x), rtol=0, atol=0)


def test_gram_matrix_refuses_one_image_without_batch() -> None:
    with pytest.raises(ValueError, match=r"\(B, C, H, W\)"):
        gram_matrix(features(3, 4, 5))


def test_relative_content_against_numpy() -> None:
    x, target = features(2, 3, 4, 5), features(2, 3, 4, 5, seed=1)
    each = [
        ((a - b) ** 2).sum() / (b**2).sum() for a, b in zip(x.numpy(), target.numpy(), strict=True)
    ]
    assert content_distance(x, target).item() == pytest.approx(np.mean(each), rel=1e-12)


@pytest.mark.parametrize(
    ("form", "factor"), [("johnson", 1 / (3 * 4 * 5)), ("gatys", 1 / 2), ("course", 1 / (4 * 60))]
)
def test_other_forms_of_content_against_numpy(form: str, factor: float) -> None:
    x, target = features(2, 3, 4, 5), features(2, 3, 4, 5, seed=1)
    each = [((a - b) ** 2).sum() * factor for a, b in zip(x.numpy(), target.numpy(), strict=True)]
    value = content_distance(x, target, form=form).item()  # type: ignore[arg-type]
    assert value == pytest.approx(np.mean(each), rel=1e-12)


def plain_gram(x: Array) -> Array:
    """One image (C, H, W): the sum over positions, as Gatys and the course write it."""
    flat = x.reshape(len(x), -1)
    gram: Array = flat @ flat.T
    return gram


@pytest.mark.parametrize("form", ["gatys", "course"])
def test_style_of_gatys_and_the_course_against_numpy(form: str) -> None:
    """E_l = sum (G - A)^2 / (4 N^2 M^2), with plain sums G and A over M positions."""
    x, painting = features(1, 3, 4, 5), features(1, 3, 5, 4, seed=1)
    difference = plain_gram(x.numpy()[0]) - plain_gram(painting.numpy()[0])
    expected = (difference**2).sum() / (4 * 3**2 * 20**2)
    value = style_distance(gram_matrix(x), gram_matrix(painting), form=form).item()  # type: ignore[arg-type]
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("form", ["relative", "johnson"])
def test_style_against_numpy(form: str) -> None:
    x, painting = features(2, 3, 4, 5), features(1, 3, 7, 6, seed=1)
    target = numpy_gram(painting.numpy()[0])
    each = [((numpy_gram(image) - target) ** 2).sum() for image in x.numpy()]
    expected = np.mean(each) / ((target**2).sum() if form == "relative" else 1.0)
    value = style_distance(gram_matrix(x), gram_matrix(painting), form=form).item()  # type: ignore[arg-type]
    assert value == pytest.approx(expected, rel=1e-12)


def test_relative_forms_do_not_depend_on_the_scale_of_the_features() -> None:
    x, target = features(2, 3, 4, 5), features(2, 3, 4, 5, seed=1)
    torch.testing.assert_close(content_distance(7 * x, 7 * target), content_distance(x, target))
    torch.testing.assert_close(
        style_distance(gram_matrix(7 * x), gram_matrix(7 * target)),
        style_distance(gram_matrix(x), gram_matrix(target)),
    )


def test_distances_refuse_shapes_that_differ() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        content_distance(features(1, 3, 4, 5), features(1, 3, 4, 6))
    with pytest.raises(ValueError, match="shapes differ"):
        style_distance(features(1, 3, 3), features(1, 4, 4))


def test_a_black_target_gives_a_number() -> None:
    x = features(1, 3, 4, 5)
    assert content_distance(x, torch.zeros_like(x)).isfinite()


def test_total_variation_against_numpy() -> None:
    x = features(2, 3, 5, 4)
    array = x.numpy()
    expected = (np.diff(array, axis=2) ** 2).sum() + (np.diff(array, axis=3) ** 2).sum()
    assert total_variation(x).item() == pytest.approx(expected / (2 * 5 * 4), rel=1e-12)
    assert TotalVariationLoss()(x).item() == total_variation(x).item()


def test_total_variation_of_a_flat_picture_is_0_and_of_a_ramp_its_slope() -> None:
    assert total_variation(torch.full((1, 3, 8, 8), 0.3)).item() == 0
    ramp = torch.arange(100.0).view(1, 1, 1, 100).expand(1, 1, 50, 100)
    assert total_variation(ramp).item() == pytest.approx(99 / 100)


def test_total_variation_refuses_one_image_without_batch() -> None:
    with pytest.raises(ValueError, match=r"\(B, C, H, W\)"):
        total_variation(features(3, 4, 5))


def test_content_loss_is_the_mean_or_the_sum_over_layers() -> None:
    x = {"a": features(1, 3, 4, 4), "b": features(1, 5, 2, 2)}
    target = {"a": features(1, 3, 4, 4, seed=1), "b": features(1, 5, 2, 2, seed=2)}
    for form, scale in (("relative", 0.5), ("johnson", 1.0), ("gatys", 1.0), ("course", 1.0)):
        parts = [content_distance(x[k], target[k], form=form) for k in x]  # type: ignore[arg-type]
        loss = ContentLoss(["a", "b"], form=form)  # type: ignore[arg-type]
        torch.testing.assert_close(loss(x, target), scale * (parts[0] + parts[1]))


def test_style_loss_weighs_its_layers() -> None:
    x = {"a": features(1, 3, 4, 4), "b": features(1, 5, 2, 2)}
    painting = {"a": features(1, 3, 6, 6, seed=1), "b": features(1, 5, 3, 3, seed=2)}
    a, b = (style_distance(gram_matrix(x[k]), gram_matrix(painting[k])) for k in x)
    torch.testing.assert_close(StyleLoss(painting)(x), (a + b) / 2)
    torch.testing.assert_close(StyleLoss(painting, layer_weights=[3, 1])(x), (3 * a + b) / 4)


def test_johnson_style_loss_is_the_weighted_sum() -> None:
    x = {"a": features(1, 3, 4, 4), "b": features(1, 5, 2, 2)}
    painting = {"a": features(1, 3, 6, 6, seed=1), "b": features(1, 5, 3, 3, seed=2)}
    a, b = (style_distance(gram_matrix(x[k]), gram_matrix(painting[k]), form="johnson") for k in x)
    loss = StyleLoss(painting, layer_weights=[3, 1], form="johnson")
    torch.testing.assert_close(loss(x), 3 * a + b)


@pytest.mark.parametrize("form", ["gatys", "course"])
def test_style_loss_of_gatys_and_the_course_is_the_mean_unless_lambda_is_given(form: str) -> None:
    x = {"a": features(1, 3, 4, 4), "b": features(1, 5, 2, 2)}
    painting = {"a": features(1, 3, 6, 6, seed=1), "b": features(1, 5, 3, 3, seed=2)}
    a, b = (style_distance(gram_matrix(x[k]), gram_matrix(painting[k]), form=form) for k in x)  # type: ignore[arg-type]
    torch.testing.assert_close(StyleLoss(painting, form=form)(x), (a + b) / 2)  # type: ignore[arg-type]
    weighted = StyleLoss(painting, layer_weights=[3, 1], form=form)  # type: ignore[arg-type]
    torch.testing.assert_close(weighted(x), 3 * a + b)


def test_the_painting_itself_has_no_style_loss() -> None:
    painting = {"a": features(1, 3, 6, 6)}
    assert StyleLoss(painting)(painting).item() == 0


def test_style_targets_stay_out_of_checkpoints_and_follow_the_module() -> None:
    loss = StyleLoss({"a": features(1, 3, 6, 6)})
    assert loss.state_dict() == {}
    assert loss.float().get_buffer("a_gram").dtype == torch.float32


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0]])
def test_style_loss_refuses_weights_that_do_not_fit(weights: list[float]) -> None:
    painting = {"a": features(1, 3, 4, 4), "b": features(1, 3, 4, 4)}
    with pytest.raises(ValueError, match="weights"):
        StyleLoss(painting, layer_weights=weights)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="relative, johnson, gatys, course"):
        ContentLoss(["a"], form="absolute")  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["relative", "johnson", "gatys", "course"])
def test_gradients(form: str) -> None:
    target = features(1, 2, 3, 3, seed=1)

    def loss(x: torch.Tensor) -> torch.Tensor:
        content = content_distance(x, target, form=form)  # type: ignore[arg-type]
        style = style_distance(gram_matrix(x), gram_matrix(target), form=form)  # type: ignore[arg-type]
        return content + style + total_variation(x)

    assert torch.autograd.gradcheck(loss, (features(1, 2, 3, 3).requires_grad_(),))
