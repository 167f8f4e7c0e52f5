"""Timing, loops, transparency and every frame of an animation come back."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from nst.infer import UserError
from nst.infer.pictures.animation import stylize_animation
from nst.infer.pictures.photo import read_photo

DURATIONS_MS = [50, 100, 150, 200, 250]
SIZE = (60, 40)


def frames(mode: str) -> list[Image.Image]:
    """A square of another colour at another place on each; with "RGBA" on nothing."""
    pictures = []
    for number in range(len(DURATIONS_MS)):
        picture = Image.new("RGBA", SIZE, (0, 0, 0, 0) if mode == "RGBA" else "maroon")
        left = 5 + 8 * number
        color = (40 * number, 200, 90, 255)
        ImageDraw.Draw(picture).rectangle((left, 5, left + 15, 30), fill=color)
        pictures.append(picture.convert(mode))
    return pictures


def save(path: Path, pictures: list[Image.Image], **options: Any) -> Path:
    flags: dict[str, Any] = {".gif": {"disposal": 2}, ".webp": {"lossless": True}, ".png": {}}
    flags = flags[path.suffix] | {"duration": DURATIONS_MS[: len(pictures)], "loop": 3} | options
    if flags["loop"] is None:
        del flags["loop"]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **flags)
    return path


def negative(picture: Image.Image) -> Image.Image:
    inverted = ImageOps.invert(picture.convert("RGB"))
    if picture.mode == "RGBA":
        inverted.putalpha(picture.getchannel("A"))
    return inverted


def stylized(
    source: Path, suffix: str, stylize: Callable[[Image.Image], Image.Image] = negative, **how: Any
) -> Image.Image:
    return Image.open(BytesIO(stylize_animation(source, Path(f"x{suffix}"), stylize, **how)))


def check(result: Image.Image, expected: list[Image.Image], *, most: float) -> None:
    """Frames with their times, transparency to the pixel, colours to ``most`` on average."""
    assert getattr(result, "n_frames", 1) == len(expected)
    for number, (picture, duration_ms) in enumerate(zip(expected, DURATIONS_MS, strict=False)):
        result.seek(number)
        pixels = np.asarray(result.convert("RGBA")).astype(int)
        wanted = np.asarray(picture.convert("RGBA"))
        assert result.info["duration"] == duration_ms
        np.testing.assert_array_equal(pixels[..., 3], wanted[..., 3])
        seen = wanted[..., 3] > 0
        assert np.abs(pixels - wanted)[seen].mean() <= most


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("source", [".gif", ".webp", ".png"])
@pytest.mark.parametrize("target", [".gif", ".webp", ".png"])
def test_every_frame_comes_back(source: str, target: str, mode: str, tmp_path: Path) -> None:
    path = save(tmp_path / f"a{source}", frames(mode))
    result = stylized(path, target)
    assert result.size == SIZE
    assert result.info["loop"] == 3
    check(
        result, [negative(picture) for picture in frames(mode)], most=5 if target == ".webp" else 0
    )


@pytest.mark.parametrize("loop", [None, 0, 1, 5])
def test_loops_of_a_gif(loop: int | None, tmp_path: Path) -> None:
    path = save(tmp_path / "a.gif", frames("RGB"), loop=loop)
    assert stylized(path, ".gif").info.get("loop") == loop
    assert stylized(path, ".webp").info["loop"] == (1 if loop is None else loop)
    assert stylized(path, ".png").info["loop"] == (1 if loop is None else loop)


def test_what_plays_once_plays_once_as_a_gif(tmp_path: Path) -> None:
    path = save(tmp_path / "a.webp", frames("RGB"), loop=1)
    assert "loop" not in stylized(path, ".gif").info


def test_the_picture_for_programs_without_animation_is_left_out(tmp_path: Path) -> None:
    pictures = frames("RGB")
    still = Image.new("RGB", SIZE, "white")
    path = save(tmp_path / "a.png", [still, *pictures], default_image=True)
    check(stylized(path, ".png"), [negative(picture) for picture in pictures], most=0)


def test_frames_are_stylized_one_after_the_other(tmp_path: Path) -> None:
    """None is held longer than until the next one, as far as a WebP goes."""
    seen = 0

    def count(picture: Image.Image) -> Image.Image:
        nonlocal seen
        seen += 1
        return picture

    path = save(tmp_path / "a.gif", frames("RGB"))
    for target in (".webp", ".gif", ".png"):
        seen = 0
        stylized(path, target, count)
        assert len(DURATIONS_MS) <= seen <= len(DURATIONS_MS) + 1, target


def test_the_result_may_have_another_size(tmp_path: Path) -> None:
    path = save(tmp_path / "a.gif", frames("RGB"))
    for target in (".gif", ".webp", ".png"):
        result = stylized(path, target, lambda picture: picture.resize((30, 20)))
        assert (result.size, getattr(result, "n_frames", 1)) == ((30, 20), len(DURATIONS_MS))


def test_quality_of_webp(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", [Image.fromarray(each) for each in noise])
    sizes = [
        len(stylize_animation(path, Path("x.webp"), negative, quality=quality))
        for quality in (10, 95)
    ]
    assert sizes[0] < sizes[1] / 2


def test_a_damaged_frame(tmp_path: Path) -> None:
    path = save(tmp_path / "a.gif", frames("RGB"))
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UserError, match=r"cannot read .*a\.gif: the file is damaged"):
        stylized(path, ".gif")


def test_a_bug_in_the_style_keeps_its_name(tmp_path: Path) -> None:
    path = save(tmp_path / "a.gif", frames("RGB"))

    def broken(picture: Image.Image) -> Image.Image:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stylized(path, ".gif", broken)


def test_from_memory(tmp_path: Path) -> None:
    content = BytesIO(save(tmp_path / "a.gif", frames("RGB")).read_bytes())
    result = Image.open(BytesIO(stylize_animation(content, Path("x.gif"), negative)))
    assert getattr(result, "n_frames", 1) == len(DURATIONS_MS)


def test_frames_are_counted(tmp_path: Path) -> None:
    for suffix in (".gif", ".webp", ".png"):
        assert read_photo(save(tmp_path / f"a{suffix}", frames("RGB"))).frames == 5
    Image.new("RGB", SIZE).save(tmp_path / "still.png")
    assert read_photo(tmp_path / "still.png").frames == 1
    pages = [Image.new("RGB", SIZE), Image.new("RGB", SIZE)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert read_photo(tmp_path / "a.tif").frames == 2
