from pathlib import Path

import pytest
import torch
from PIL import Image

from nst.infer.errors import UserError
from nst.train.painting import is_same_picture, load_painting, to_picture, to_tensor


def test_the_longer_side_is_scaled_down(tmp_path: Path) -> None:
    Image.new("RGB", (400, 300), (255, 0, 51)).save(tmp_path / "p.png")
    painting = load_painting(tmp_path / "p.png", long_side_px=200)
    assert painting.shape == (1, 3, 150, 200)
    torch.testing.assert_close(painting[0, :, 70, 70], torch.tensor([1.0, 0.0, 0.2]))


def test_a_small_painting_stays_as_it_is(tmp_path: Path) -> None:
    Image.new("RGB", (100, 80)).save(tmp_path / "p.png")
    assert load_painting(tmp_path / "p.png", long_side_px=512).shape == (1, 3, 80, 100)


@pytest.mark.parametrize("size", [(1, 1), (63, 500), (500, 10)])
def test_too_small_to_show_a_stroke(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size).save(tmp_path / "p.png")
    with pytest.raises(UserError, match="at least 64 px"):
        load_painting(tmp_path / "p.png", long_side_px=512)


def test_transparency_is_put_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (80, 80), (0, 0, 0, 51)).save(tmp_path / "p.png")
    painting = load_painting(tmp_path / "p.png", long_side_px=80)
    torch.testing.assert_close(painting, torch.full((1, 3, 80, 80), 0.8))


def test_the_same_picture_and_others() -> None:
    stored = torch.full((1, 3, 70, 80), 100, dtype=torch.uint8)
    painting = stored / 255
    assert is_same_picture(painting, stored)
    assert is_same_picture(painting + 3 / 255, stored), "another decoder"
    assert not is_same_picture(painting[..., :79], stored)
    painting[0, 1, 30, 40] += 10 / 255
    assert not is_same_picture(painting, stored), "a single stroke"


def test_tensor_and_picture() -> None:
    picture = Image.effect_noise((20, 10), 80).convert("RGB")
    tensor = to_tensor(picture)
    assert tensor.shape == (3, 10, 20)
    assert to_picture(tensor).tobytes() == picture.tobytes()
    assert to_picture(torch.tensor([-1.0, 2.0, 0.5]).view(3, 1, 1)).getpixel((0, 0)) == (
        0,
        255,
        128,
    )
