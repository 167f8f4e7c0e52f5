import pytest
import torch

from nst.train.evaluate.structure import luminance, structure_kept


def image(*, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(seed))


def test_luminance() -> None:
    colours = torch.eye(3).view(1, 3, 3, 1)
    torch.testing.assert_close(luminance(colours).flatten(), torch.tensor([0.299, 0.587, 0.114]))


def test_the_photo_itself_keeps_everything() -> None:
    assert structure_kept(image(), image()) == pytest.approx(1, abs=1e-5)


def test_another_picture_keeps_nothing() -> None:
    assert structure_kept(image(seed=1), image()) < 0.1


def test_colour_does_not_count() -> None:
    grey = luminance(image()).expand(1, 3, 48, 64)
    assert structure_kept(grey, image()) == pytest.approx(1, abs=1e-4)


def test_more_noise_keeps_less() -> None:
    kept = [structure_kept(image() + level * image(seed=1), image()) for level in (0.1, 0.3, 0.9)]
    assert kept == sorted(kept, reverse=True)
