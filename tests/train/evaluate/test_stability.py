import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nst.train.evaluate.stability import flicker, rmse, warp_errors, warp_frame

Frame = NDArray[np.uint8]


def identity(frame: Frame) -> Frame:
    return frame


def negative(frame: Frame) -> Frame:
    return 255 - frame


def screen_noise(frame: Frame) -> Frame:
    """Noise that stays where it is on the screen."""
    noise = np.random.default_rng(0).normal(0, 30, frame.shape)
    return np.rint(frame + noise).clip(0, 255).astype(np.uint8)


def test_the_photo_itself_stays_on_its_object(photo: Frame) -> None:
    errors = warp_errors(identity, photo, photo)
    assert list(errors) == [0.5, 1, 2, 4, 8]
    assert max(errors.values()) < 1e-3


def test_a_change_of_each_pixel_stays_on_its_object(photo: Frame) -> None:
    errors = warp_errors(negative, photo, negative(photo))
    assert max(errors.values()) < 5e-3


def test_noise_fixed_on_the_screen_does_not(photo: Frame) -> None:
    errors = warp_errors(screen_noise, photo, screen_noise(photo))
    assert min(errors.values()) > 0.05
    assert errors[8] > 0.1


def test_a_constant_flow_moves_the_picture(photo: Frame) -> None:
    height, width = photo.shape[:2]
    flow = torch.zeros(2, height, width)
    flow[0] = 5
    moved = warp_frame(photo, flow)
    assert np.array_equal(moved[:, : width - 6], photo[:, 5 : width - 1])


def test_differences_are_in_units_of_the_range() -> None:
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert rmse(black, white) == 1
    assert rmse(black, black) == 0
    half = np.zeros((4, 4), bool)
    half[:2] = True
    mixed = np.where(half[..., None], black, white)
    assert rmse(black, mixed, half) == 0


def test_flicker_of_the_photo_is_the_noise(photo: Frame) -> None:
    assert flicker(identity, photo) == pytest.approx(2 * 2**0.5 / 255, rel=0.1)


def test_what_makes_the_noise_larger_flickers(photo: Frame) -> None:
    def contrast(frame: Frame) -> Frame:
        stretched = (frame.astype(float) - 128) * 4 + 128
        return stretched.clip(0, 255).astype(np.uint8)

    assert flicker(contrast, photo) > 2 * flicker(identity, photo)
    assert flicker(lambda frame: np.zeros_like(frame), photo) == 0
