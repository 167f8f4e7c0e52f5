import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, JpegImagePlugin

from nst.infer import UserError
from nst.infer.pictures.images import (
    as_rgb,
    check_output_suffix,
    opened,
    read_image,
    suffix_of_format,
    write_image,
)


def noise(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG header that promises a large picture, without the pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")))
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(Image.fromarray(noise(7, 5)), path)
    image = read_image(path)
    assert image.mode == "RGB"
    np.testing.assert_array_equal(pixels(image), noise(7, 5))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_lossless_formats_keep_alpha(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(Image.fromarray(noise(7, 5, 4)), path)
    image = read_image(path)
    assert image.mode == "RGBA"
    np.testing.assert_array_equal(pixels(image), noise(7, 5, 4))


@pytest.mark.parametrize(
    ("suffix", "form"), [(".jpg", "JPEG"), (".JPEG", "JPEG"), (".webp", "WEBP")]
)
def test_lossy_formats_stay_close(tmp_path: Path, suffix: str, form: str) -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    smooth = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.uint8(90)), axis=-1)
    path = tmp_path / f"a{suffix}"
    write_image(Image.fromarray(smooth), path)
    with Image.open(path) as image:
        assert image.format == form
    assert np.abs(pixels(read_image(path)).astype(int) - smooth).max() <= 12


def test_jpeg_keeps_full_colour_resolution(tmp_path: Path) -> None:
    write_image(Image.fromarray(noise(16, 16)), tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert JpegImagePlugin.get_sampling(image) == 0  # 4:4:4


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_transparency_is_laid_on_white_for_formats_without_it(tmp_path: Path, suffix: str) -> None:
    clear_red = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    path = tmp_path / f"a{suffix}"
    write_image(clear_red, path)
    assert pixels(read_image(path)).tolist() == np.full((16, 16, 3), 255).tolist()
    write_image(Image.new("RGBA", (16, 16), (0, 0, 0, 128)), path)
    assert np.abs(pixels(read_image(path)).astype(int) - 127).max() <= 1


def test_suffix_of_a_format() -> None:
    for name, suffix in (("WEBP", ".webp"), ("PNG", ".png"), ("PSD", ".png"), ("", ".png")):
        assert suffix_of_format(name) == suffix
    assert suffix_of_format("JPEG") in (".jpg", ".jpeg")


@pytest.mark.parametrize("name", ["a.psd", "a", "a.jpg.txt", ".png", "a.onnx"])
def test_unknown_suffix_lists_the_known(tmp_path: Path, name: str) -> None:
    expected = r"use one of (\.avif, )?\.bmp, \.gif, .*\.jpeg, \.jpg, \.png, \.tif, \.tiff, \.webp"
    with pytest.raises(UserError, match=expected):
        check_output_suffix(tmp_path / name)
    with pytest.raises(UserError, match=expected):
        write_image(Image.new("RGB", (1, 1)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "side"), [(".webp", 16384), (".jpg", 65536)])
def test_format_too_small_for_the_picture(tmp_path: Path, suffix: str, side: int) -> None:
    with pytest.raises(UserError, match=f"cannot hold {side}x1 pixels"):
        write_image(Image.new("RGB", (side, 1)), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff", ".webp"])
def test_orientation_is_applied_once(tmp_path: Path, orientation: int, suffix: str) -> None:
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = 255  # white top left corner
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    path = saved(image, tmp_path / f"a{suffix}", exif=exif)
    read = read_image(path)
    assert read.size == (32, 16)
    assert np.abs(pixels(read).astype(int) - upright).max() <= 16
    write_image(read, path)
    assert np.abs(pixels(read_image(path)).astype(int) - upright).max() <= 16


def test_damaged_exif_is_ignored(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise(8, 8)), tmp_path / "a.png", exif=b"Exif\0\0garbage")
    np.testing.assert_array_equal(pixels(read_image(path)), noise(8, 8))


def test_bilevel(tmp_path: Path) -> None:
    path = saved(Image.fromarray(np.eye(4, dtype=bool)), tmp_path / "a.png")
    expected = np.repeat(np.eye(4, dtype=np.uint8)[:, :, None] * 255, 3, axis=2)
    np.testing.assert_array_equal(pixels(read_image(path)), expected)


def test_grey_with_alpha(tmp_path: Path) -> None:
    grey_alpha = noise(4, 4, 2)
    path = saved(Image.fromarray(grey_alpha, "LA"), tmp_path / "a.png")
    read = pixels(read_image(path))
    assert read.shape == (4, 4, 4)
    np.testing.assert_array_equal(read[:, :, 1], grey_alpha[:, :, 0])
    np.testing.assert_array_equal(read[:, :, 3], grey_alpha[:, :, 1])


def test_palette(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    assert pixels(read_image(saved(image, tmp_path / "a.png"))).tolist() == [
        [[10, 20, 30], [40, 50, 60]]
    ]
    one_clear = read_image(saved(image, tmp_path / "b.png", transparency=1))
    assert pixels(one_clear).tolist() == [[[10, 20, 30, 255], [40, 50, 60, 0]]]
    half_clear = read_image(saved(image, tmp_path / "c.png", transparency=b"\x80\xff"))
    assert pixels(half_clear).tolist() == [[[10, 20, 30, 128], [40, 50, 60, 255]]]


def test_transparent_colour(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    path = saved(image, tmp_path / "a.png", transparency=(1, 2, 3))
    assert pixels(read_image(path)).tolist() == [[[1, 2, 3, 0], [4, 5, 6, 255]]]


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bit_grey_is_scaled(tmp_path: Path, suffix: str) -> None:
    grey = np.array([[0, 257, 32896, 65535]], np.uint16)
    read = read_image(saved(Image.fromarray(grey), tmp_path / f"a{suffix}"))
    assert pixels(read)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_16_bit_grey_keeps_its_transparent_value(tmp_path: Path) -> None:
    grey = np.array([[0, 32896]], np.uint16)
    path = saved(Image.fromarray(grey), tmp_path / "a.png", transparency=32896)
    assert pixels(read_image(path)).tolist() == [[[0, 0, 0, 255], [128, 128, 128, 0]]]


def test_32_bit_grey_is_scaled_as_16_bit_or_by_its_peak() -> None:
    as_16_bit = as_rgb(Image.fromarray(np.array([[-5, 0, 32896, 65535]], np.int32)))
    assert pixels(as_16_bit)[0, :, 0].tolist() == [0, 0, 128, 255]
    by_peak = as_rgb(Image.fromarray(np.array([[0, 1_000_000, 2_000_000]], np.int32)))
    assert pixels(by_peak)[0, :, 0].tolist() == [0, 128, 255]


def test_float_grey_is_0_to_1_or_0_to_255() -> None:
    unit = as_rgb(Image.fromarray(np.array([[-1, 0.25, 1, np.nan]], np.float32)))
    assert pixels(unit)[0, :, 0].tolist() == [0, 64, 255, 0]
    byte = as_rgb(Image.fromarray(np.array([[0, 100, 300]], np.float32)))
    assert pixels(byte)[0, :, 0].tolist() == [0, 100, 255]


def test_cmyk(tmp_path: Path) -> None:
    path = saved(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), tmp_path / "a.jpg")
    read = read_image(path)
    assert read.mode == "RGB"
    assert np.abs(pixels(read).astype(int) - (255, 0, 0)).max() <= 2


def swapped_profile(name: str = "odd ") -> bytes:
    """An RGB profile whose red is sRGB's green and the other way round."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))
    swaps = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}
    table = profile[128:400]
    for old, new in swaps.items():
        table = table.replace(old, new.upper())
    for new in swaps.values():
        table = table.replace(new.upper(), new)
    return profile[:128] + table + profile[400:]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_profile_is_applied_once(tmp_path: Path, mode: str) -> None:
    red = Image.new(mode, (4, 4), "red")
    path = saved(red, tmp_path / "a.png", icc_profile=swapped_profile())
    read = read_image(path)
    assert read.mode == mode
    assert read.info == {}
    assert np.abs(pixels(read)[..., :3].astype(int) - (0, 255, 0)).max() <= 2
    write_image(read, path)
    np.testing.assert_array_equal(pixels(read_image(path)), pixels(read))


def linear_grey_profile() -> bytes:
    """A grey profile without a tone curve: half the light is the middle value."""
    white = b"XYZ " + struct.pack(">IIII", 0, 0xF6D6, 0x10000, 0xD32D)
    tone = b"curv" + struct.pack(">II", 0, 0)
    name = b"desc" + struct.pack(">II", 0, 5) + b"grey\0" + bytes(78)
    tags, table, offset = b"", b"", 128 + 4 + 3 * 12
    for signature, data in ((b"wtpt", white), (b"kTRC", tone), (b"desc", name)):
        table += signature + struct.pack(">II", offset + len(tags), len(data))
        tags += data + bytes(-len(data) % 4)
    size = struct.pack(">I", offset + len(tags))
    header = size + b"lcms" + b"\x02\x40\0\0" + b"mntrGRAYXYZ " + bytes(12) + b"acsp"
    illuminant = struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return header + bytes(68 - len(header)) + illuminant + bytes(48) + b"\0\0\0\3" + table + tags


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_profile_is_applied(tmp_path: Path, mode: str) -> None:
    grey = Image.new(mode, (2, 2), 128 if mode == "L" else (128, 50))
    read = read_image(saved(grey, tmp_path / "a.png", icc_profile=linear_grey_profile()))
    assert np.abs(pixels(read)[..., :3].astype(int) - 188).max() <= 1
    assert mode == "L" or pixels(read)[0, 0, 3] == 50


def test_profile_named_srgb_is_not_applied(tmp_path: Path) -> None:
    profile = swapped_profile("sRGB")
    path = saved(Image.fromarray(noise(8, 8)), tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(pixels(read_image(path)), noise(8, 8))


def test_broken_profile_is_ignored(tmp_path: Path) -> None:
    path = saved(Image.fromarray(noise(8, 8)), tmp_path / "a.png", icc_profile=b"garbage")
    np.testing.assert_array_equal(pixels(read_image(path)), noise(8, 8))


def test_profile_for_other_channels_is_ignored(tmp_path: Path) -> None:
    grey = Image.new("L", (4, 4), 100)
    path = saved(grey, tmp_path / "a.png", icc_profile=swapped_profile())
    assert pixels(read_image(path)).tolist() == np.full((4, 4, 3), 100).tolist()


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = saved(frames[0], tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert pixels(read_image(path))[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.95, 0.5])
def test_truncated_picture_is_refused(tmp_path: Path, form: str, part: float) -> None:
    encoded = BytesIO()
    Image.fromarray(noise(64, 64)).save(encoded, form)
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded.getvalue()[: int(part * encoded.tell())])
    with pytest.raises(UserError, match=r"cannot read .*cut\.jpg: .*damaged"):
        read_image(path)


def test_truncated_palette_is_refused(tmp_path: Path) -> None:
    path = saved(Image.new("P", (4, 4)), tmp_path / "cut.pcx")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match="the file is damaged"):
        read_image(path)


@pytest.mark.parametrize("content", [b"hello", b"\xff\xd8", bytes(100)])
def test_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot read .*a\.jpg: not a picture, or damaged"):
        read_image(path)


def test_heic_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.HEIC").write_bytes(bytes(100))
    with pytest.raises(UserError, match="not a picture, or damaged"):
        read_image(tmp_path / "a.HEIC")
    monkeypatch.setattr("nst.infer.pictures.images.OUTPUT_SUFFIXES", (".png",))
    with pytest.raises(UserError, match=r"pip install 'nst\[heif\]' brings it"):
        read_image(tmp_path / "a.HEIC")


def test_missing_folder_and_empty_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for name, reason in (("no.jpg", "no such file"), ("", "folder"), ("empty.jpg", "empty")):
        with pytest.raises(UserError, match=reason):
            read_image(tmp_path / name)


def test_too_many_pixels_are_refused_before_decoding(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="more than 250 megapixels"):
        read_image(bomb(tmp_path / "a.png", 25_001, 10_000))


def test_a_limit_of_ones_own(tmp_path: Path) -> None:
    Image.new("RGB", (101, 10)).save(tmp_path / "a.png")
    for limit in (1009, 500, 1):
        with (
            pytest.raises(UserError, match=f"more than {limit / 1e6:g} megapixels"),
            opened(tmp_path / "a.png", max_pixels=limit),
        ):
            pytest.fail("it was opened")
    with opened(tmp_path / "a.png", max_pixels=1010) as image:
        assert image.size == (101, 10)


def test_large_pictures_pass_the_limit_without_a_warning(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(UserError, match="damaged"):  # what stops it is the missing pixels
        read_image(bomb(tmp_path / "a.png", 13_000, 10_000))
    assert limit == Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Image.open(tmp_path / "a.png").close()
    assert [warning.category for warning in caught] == [Image.DecompressionBombWarning]
