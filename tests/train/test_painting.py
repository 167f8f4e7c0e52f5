from pathlib import Path

import pytest
import torch
from PIL import Image

from nst.infer.errors import UserError
from nst.train.painting import load_painting, refuse_other_painting, to_picture, to_tensor


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


def test_the_same_picture_and_others(tmp_path: Path) -> None:
    def refuse(picture: Image.Image) -> None:
        picture.save(tmp_path / "p.png")
        refuse_other_painting(tmp_path / "p.png", learned, long_side_px=80)

    learned = torch.full((1, 3, 70, 80), 100, dtype=torch.uint8)
    picture = Image.new("RGB", (80, 70), (100, 100, 100))
    refuse(picture)
    refuse(Image.new("RGB", (80, 70), (100, 103, 100)))  # another decoder
    with pytest.raises(UserError, match="another picture"):
        refuse(picture.crop((0, 0, 80, 69)))
    picture.putpixel((30, 40), (100, 110, 100))
    with pytest.raises(UserError, match="another picture"):
        refuse(picture)


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
