import numpy as np
import pytest
from synthetic import natural_frames

from nst.infer.engine.frames import Frame
from nst.infer.steady import Steadier

RNG = np.random.default_rng(0)


def noisy(frame: Frame, sigma: float) -> Frame:
    levels = frame + RNG.normal(0, sigma, frame.shape)
    return np.array(levels.round().clip(0, 255), np.uint8)


def flicker(frames: list[Frame]) -> float:
    """How much a pixel changes from frame to frame, levels of 255, root mean square."""
    return float(np.diff(np.stack(frames).astype(float), axis=0).std())


@pytest.fixture
def scene() -> Frame:
    (frame,) = natural_frames((1, 96, 128))
    return np.array(frame)


def test_what_stands_still_flickers_less(scene: Frame) -> None:
    steadier, half = Steadier(1.0), Steadier(0.5)
    stylized = [noisy(255 - scene, 8) for _ in range(20)]
    seen = [noisy(scene, 2) for _ in stylized]
    steadied = [steadier(*pair) for pair in zip(seen, stylized, strict=True)]
    halfway = [half(*pair) for pair in zip(seen, stylized, strict=True)]
    assert flicker(steadied[5:]) < 0.2 * flicker(stylized[5:])
    assert flicker(steadied[5:]) < flicker(halfway[5:]) < 0.8 * flicker(stylized[5:])
    assert abs(steadied[-1].astype(float) - (255 - scene)).mean() < 4


def test_what_moves_is_left_alone(scene: Frame) -> None:
    steadier = Steadier(1.0)
    for step in range(10):
        seen = noisy(scene, 1)
        seen[:, 64:] = np.roll(scene, 4 * step, axis=1)[:, 64:]
        stylized = noisy(255 - seen, 8)
        steadied = steadier(seen, stylized)
        if step:
            assert np.array_equal(steadied[:, 64:], stylized[:, 64:])
            assert not np.array_equal(steadied[:, :40], stylized[:, :40])


def test_a_cut_leaves_nothing_of_the_scene_before(scene: Frame) -> None:
    steadier = Steadier(1.0)
    for _ in range(5):
        steadier(scene, scene)
    assert np.array_equal(steadier(255 - scene, 255 - scene), 255 - scene)


def test_light_that_fades_slowly_is_followed(scene: Frame) -> None:
    steadier = Steadier(1.0)
    for step in range(100):
        seen = (scene // 2) + np.uint8(step)
        steadied = steadier(seen, seen)
    assert abs(steadied.astype(int) - seen).max() <= 6


@pytest.mark.parametrize("after", [95, 105])
def test_a_small_change_of_what_stands_still_comes_through(scene: Frame, after: int) -> None:
    steadier = Steadier(1.0)
    steadier(scene, np.full_like(scene, 100))
    for _ in range(80):
        steadied = steadier(scene, np.full_like(scene, after))
    assert (steadied == after).all()


def test_none_of_it(scene: Frame) -> None:
    steadier = Steadier(0.0)
    steadier(scene, scene)
    assert steadier(scene, 255 - scene) is not None
    assert np.array_equal(steadier(scene, 255 - scene), 255 - scene)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (361, 641)])
def test_any_size_and_a_change_of_it(scene: Frame, size: tuple[int, int]) -> None:
    steadier = Steadier(0.7)
    steadier(scene, scene)
    other = np.full((*size, 3), 90, np.uint8)
    for _ in range(3):
        assert np.array_equal(steadier(other, other), other)


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_amounts_out_of_range(amount: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Steadier(amount)
