import pytest
import torch
from torch import Tensor

from nst.models.perceptual_loss import LossTerms
from nst.train.optimize.descent import Descent, OptimizerName, Step

TARGET = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def objective(picture: Tensor, scale: float = 1.0) -> LossTerms:
    """A long valley: some pixels count a hundred times as much as others."""
    steepness = torch.logspace(0, 2, picture.numel()).view(picture.shape)
    loss = scale * (steepness * (picture - TARGET).square()).mean()
    return LossTerms(loss, loss, loss * 0, loss * 0)


@pytest.mark.parametrize(("optimizer", "reach"), [("lbfgs", 1e-3), ("adam", 5e-2)])
def test_it_finds_the_minimum(optimizer: OptimizerName, reach: float) -> None:
    start = torch.full_like(TARGET, 0.5)
    descent = Descent(start, objective)
    first = float(objective(start).total)
    best = descent.run(100, optimizer=optimizer)
    assert descent.best_loss < reach * first
    assert float(objective(best).total) == pytest.approx(descent.best_loss, rel=0.05)
    assert torch.equal(start, torch.full_like(TARGET, 0.5))


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_loss_does_not_matter(scale: float) -> None:
    """torch's L-BFGS has absolute thresholds that stop it where losses are small."""
    start = torch.full_like(TARGET, 0.5)
    plain, scaled = (
        Descent(start, lambda x, s=s: objective(x, s)).run(30)  # type: ignore[misc]
        for s in (1.0, scale)
    )
    torch.testing.assert_close(plain, scaled, atol=1e-3, rtol=0)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("steps", [1, 2, 37])
def test_it_makes_exactly_the_steps_asked_for(optimizer: OptimizerName, steps: int) -> None:
    seen: list[Step] = []
    descent = Descent(torch.zeros_like(TARGET), objective, on_step=seen.append)
    descent.run(steps, optimizer=optimizer)
    assert [step.number for step in seen] == list(range(1, steps + 1))
    assert descent.steps == steps


def test_a_picture_whose_channels_are_last_in_memory() -> None:
    start = TARGET.flip(1).contiguous(memory_format=torch.channels_last)
    descent = Descent(start, objective)
    descent.run(20)
    assert descent.best_loss < float(objective(start).total)


def test_it_goes_on_after_a_line_search_that_finds_no_way_down() -> None:
    """A gradient that points uphill at first, as rounding can make it."""
    calls = 0

    def misleading(picture: Tensor) -> LossTerms:
        nonlocal calls
        calls += 1
        terms = objective(picture)
        total = 2 * terms.total.detach() - terms.total if calls <= 8 else terms.total
        return terms._replace(total=total)

    start = torch.full_like(TARGET, 0.5)
    descent = Descent(start, misleading)
    descent.run(120)
    assert descent.steps == 120
    assert descent.best_loss < 1e-2 * float(objective(start).total)


def test_pixels_are_kept_in_range() -> None:
    """The minimum lies at 1.5 in half of the pixels; clamping it there would cost much."""

    def beyond(picture: Tensor) -> LossTerms:
        wanted = TARGET + (TARGET > 0.5).float()
        loss = (picture - wanted).square().mean() + (picture.mean() - 0.6).square()
        return LossTerms(loss, loss, loss * 0, loss * 0)

    descent = Descent(torch.full_like(TARGET, 0.5), beyond)
    best = descent.run(60)
    assert (best - best.clamp(0, 1)).abs().max() < 0.02
    assert descent.clamped_loss() == pytest.approx(descent.best_loss, rel=0.05)


def test_the_best_picture_is_kept_though_later_ones_are_worse() -> None:
    losses = iter([3.0, 1.0, 2.0, 5.0])

    def jumping(picture: Tensor) -> LossTerms:
        loss = picture.sum() * 0 + next(losses)
        return LossTerms(loss, loss, loss, loss)

    descent = Descent(torch.zeros_like(TARGET), jumping)
    descent.run(4, optimizer="adam")
    assert descent.best_loss == pytest.approx(1.0)


def test_a_loss_that_is_not_a_number_ends_it() -> None:
    def broken(picture: Tensor) -> LossTerms:
        loss = picture.sum() * float("nan")
        return LossTerms(loss, loss, loss, loss)

    with pytest.raises(FloatingPointError, match="the loss is nan after 0 steps"):
        Descent(torch.zeros_like(TARGET), broken).run(5)
