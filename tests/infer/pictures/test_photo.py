"""Format in is format out."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin, PngImagePlugin

from nst.infer import UserError
from nst.infer.pictures.images import write_encoded, write_image
from nst.infer.pictures.photo import Photo, encode_photo, read_photo, read_size

MAKER, ORIENTATION, WIDTH, HEIGHT = 0x010F, 0x0112, 0xA002, 0xA003
EVERY_FORMAT = [".jpg", ".png", ".webp", ".tif", ".avif", ".heic"]


def picture(size: tuple[int, int] = (48, 32), mode: str = "RGB") -> Image.Image:
    """Smooth, so that formats that throw detail away keep it."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]]
    channels = [rows * 4 % 256, columns * 4 % 256, (rows + columns) * 2 % 256, rows * 0 + 200]
    rgba = np.stack(channels, axis=-1).astype(np.uint8)
    return Image.fromarray(rgba).convert("RGB" if mode == "CMYK" else mode).convert(mode)


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[MAKER], data[ORIENTATION] = "Maker", orientation
    details = data.get_ifd(ExifTags.IFD.Exif)
    details[WIDTH], details[HEIGHT] = 48, 32
    data.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    return data


def wide_gamut() -> bytes:
    """An RGB profile that is not sRGB: its primaries in another order, in effect."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"o\0t\0h\0r").replace(b"sRGB ", b"othr ")


def through(path: Path, suffix: str | None = None, **flags: Any) -> Image.Image:
    """Read a photo and write it unchanged."""
    photo = read_photo(path)
    out = path.with_name(f"out{suffix or path.suffix}")
    write_encoded(encode_photo(photo.image, out, photo, **flags), out)
    return Image.open(BytesIO(out.read_bytes()))


@pytest.mark.parametrize("suffix", EVERY_FORMAT)
@pytest.mark.parametrize("orientation", [1, 6])
def test_camera_data_come_back_upright(suffix: str, orientation: int, tmp_path: Path) -> None:
    if suffix == ".heic" and orientation == 6:
        pytest.skip("the writer of HEIC turns the picture itself")
    path = tmp_path / f"photo{suffix}"
    write_image(picture(), path, {"exif": exif(orientation).tobytes()})
    result = through(path)
    assert result.size == ((32, 48) if orientation == 6 else (48, 32))
    found = result.getexif()
    assert found[MAKER] == "Maker"
    assert found.get(ORIENTATION, 1) == 1
    if suffix != ".tif":
        details = found.get_ifd(ExifTags.IFD.Exif)
        assert (details[WIDTH], details[HEIGHT]) == result.size
        assert found.get_ifd(ExifTags.IFD.GPSInfo)[1] == "N"


def test_the_thumbnail_is_dropped(tmp_path: Path) -> None:
    data = exif()
    data.get_ifd(ExifTags.IFD.IFD1)[0x0201] = 1234
    picture().save(tmp_path / "photo.jpg", exif=data)
    assert not through(tmp_path / "photo.jpg").getexif().get_ifd(ExifTags.IFD.IFD1)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [60, 92])
def test_a_jpeg_keeps_its_quality(subsampling: int, quality: int, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    picture().save(path, quality=quality, subsampling=subsampling, progressive=True)
    result = through(path)
    assert isinstance(result, JpegImagePlugin.JpegImageFile)
    with Image.open(path) as photo:
        assert isinstance(photo, JpegImagePlugin.JpegImageFile)
        assert result.quantization == photo.quantization
    assert JpegImagePlugin.get_sampling(result) == subsampling
    assert result.info["progressive"]


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".heic"])
def test_a_quality_of_ones_own(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, quality=90)
    sizes = []
    for quality in (10, 95):
        through(path, suffix, quality=quality)
        sizes.append(path.with_name(f"out{suffix}").stat().st_size)
    assert sizes[0] < sizes[1] / 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_come_back_in_their_profile(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    profile = wide_gamut()
    picture(mode=mode).save(path, icc_profile=profile)
    photo = read_photo(path)
    assert np.abs(np.asarray(photo.image).astype(int) - picture(mode=mode)).max() > 30
    result = through(path)
    assert result.info["icc_profile"] == profile
    assert result.mode == mode
    # There and back through 8 bits.
    assert np.abs(np.asarray(result).astype(int) - picture(mode=mode)).mean() < 2


def test_the_profile_of_srgb_is_kept_as_it_is(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture().save(tmp_path / "photo.png", icc_profile=srgb)
    result = through(tmp_path / "photo.png")
    assert result.info["icc_profile"] == srgb
    np.testing.assert_array_equal(np.asarray(result), np.asarray(picture()))


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_broken_profile_is_left_out(profile: bytes, tmp_path: Path) -> None:
    picture().save(tmp_path / "photo.png", icc_profile=profile)
    assert "icc_profile" not in through(tmp_path / "photo.png").info


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".bmp"])
def test_resolution(suffix: str, tmp_path: Path) -> None:
    picture().save(tmp_path / f"photo{suffix}", dpi=(300, 240))
    assert through(tmp_path / f"photo{suffix}").info["dpi"] == pytest.approx((300, 240), abs=0.1)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_xmp(suffix: str, tmp_path: Path) -> None:
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    picture().save(tmp_path / f"photo{suffix}", xmp=xmp)
    assert through(tmp_path / f"photo{suffix}").info["xmp"] == xmp


def test_another_format_takes_what_it_can(tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    picture(mode="RGBA").save(path, exif=exif(), dpi=(300, 300), compression="tiff_lzw")
    result = through(path, ".jpg")
    assert result.format == "JPEG"
    assert result.getexif()[MAKER] == "Maker"
    assert set(result.getexif()) <= {MAKER, 0x8769, 0x8825}
    for suffix in (".bmp", ".gif"):
        assert through(path, suffix).size == (48, 32)


def sixteen_bit_png() -> bytes:
    """RGB with 16 bits, which Pillow reads and does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    rows = b"".join(b"\0" + b"\x80\x00" * 3 * 20 for _ in range(20))
    header = struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_16_bits_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(sixteen_bit_png())
    deep = read_photo(tmp_path / "deep.png")
    assert deep.deep
    assert np.asarray(deep.image).tolist() == np.full((20, 20, 3), 128).tolist()
    grey = Image.fromarray(np.full((20, 20), 30000, np.uint16))
    grey.save(tmp_path / "grey.tif")
    assert read_photo(tmp_path / "grey.tif").deep
    for suffix in (".jpg", ".png", ".tif"):
        picture().save(tmp_path / f"plain{suffix}")
        assert not read_photo(tmp_path / f"plain{suffix}").deep


def test_damaged_camera_data_do_not_matter(tmp_path: Path) -> None:
    picture().save(tmp_path / "photo.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40)
    assert through(tmp_path / "photo.jpg").size == (48, 32)


def test_wrong_files(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("hello")
    with pytest.raises(UserError, match="not a picture"):
        read_photo(tmp_path / "photo.jpg")
    with pytest.raises(UserError, match="has no suffix"):
        encode_photo(picture(), tmp_path / "out", Photo(picture(), "PNG"))


def test_the_size_is_known_without_decoding(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    picture((48, 32)).save(path, exif=exif(6))
    path.write_bytes(path.read_bytes()[:-30])
    assert read_size(path) == (48, 32)
    assert read_size(BytesIO(path.read_bytes())) == (48, 32)
    with pytest.raises(UserError, match=r"more than 0\.001 megapixels, shrink it"):
        read_size(path, max_pixels=1000)


def test_a_photo_that_was_read_already(tmp_path: Path) -> None:
    picture().save(tmp_path / "photo.png")
    content = BytesIO((tmp_path / "photo.png").read_bytes())
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(read_photo(content).image), np.asarray(picture()))
    with pytest.raises(UserError, match=r"it is empty \(0 bytes\)"):
        read_photo(BytesIO())


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    suffix=st.sampled_from([*EVERY_FORMAT, ".bmp", ".gif"]),
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA", "P", "1", "CMYK"]),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    orientation=st.integers(1, 8),
    profile=st.booleans(),
)
def test_whatever_comes_goes_back(
    suffix: str,
    mode: str,
    width: int,
    height: int,
    orientation: int,
    profile: bool,
    tmp_path: Path,
) -> None:
    """Size, transparency, profile and orientation are as promised, for all formats and modes."""
    path = tmp_path / f"photo{suffix}"
    options: dict[str, Any] = {}
    if suffix in EVERY_FORMAT and suffix not in (".tif", ".heic"):
        options["exif"] = exif(orientation).tobytes()
    if profile and suffix in (".jpg", ".png", ".webp", ".tif") and mode in ("RGB", "RGBA"):
        options["icc_profile"] = wide_gamut()
    encoded = BytesIO()
    try:
        kind = Image.registered_extensions()[suffix]
        picture((width, height), mode).save(encoded, kind, **options)
    except (OSError, ValueError, KeyError):
        return  # a mode that the format does not hold
    path.write_bytes(encoded.getvalue())
    photo = read_photo(path)
    turned = "exif" in options and orientation >= 5
    assert photo.image.size == ((height, width) if turned else (width, height))
    result = through(path)
    assert result.size == photo.image.size
    assert result.getexif().get(ORIENTATION, 1) == 1
    assert ("icc_profile" in result.info) == ("icc_profile" in options)
    if photo.image.mode == "RGBA" and suffix not in (".jpg", ".bmp", ".gif"):
        alpha = np.asarray(result.convert("RGBA").getchannel("A")).astype(int)
        assert np.abs(alpha - np.asarray(photo.image.getchannel("A"))).max() <= 3


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("profile", [b"", wide_gamut()])
def test_webp_stays_without_loss(lossless: bool, profile: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.webp"
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, lossless=lossless, icc_profile=profile or None)
    photo = read_photo(path)
    assert photo.encoding == read_photo(BytesIO(path.read_bytes())).encoding
    same = encode_photo(photo.image, path, Photo(photo.image, "WEBP", encoding=photo.encoding))
    assert (
        np.array_equal(np.asarray(read_photo(BytesIO(same)).image), np.asarray(photo.image))
        == lossless
    )
    lossy = encode_photo(photo.image, path, photo, quality=50)
    assert len(lossy) < len(same)
    assert not np.array_equal(np.asarray(read_photo(BytesIO(lossy)).image), np.asarray(photo.image))


@pytest.mark.parametrize(
    ("mode", "stored", "result"),
    [
        ("RGB", "raw", "raw"),
        ("RGB", "tiff_lzw", "tiff_lzw"),
        ("RGBA", "packbits", "packbits"),
        ("1", "group4", "tiff_adobe_deflate"),
        ("RGB", "jpeg", "tiff_adobe_deflate"),
    ],
)
def test_compression_of_tiff(mode: str, stored: str, result: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    picture(mode=mode).save(path, compression=stored)
    assert through(path).info["compression"] == result


def test_texts_of_png_and_comments_of_jpeg(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "Vermeer")
    texts.add_itxt("Title", "Het Straatje é", "nl", "titel")
    texts.add_text("Raw profile type exif", "old")
    picture().save(tmp_path / "photo.png", pnginfo=texts)
    assert getattr(through(tmp_path / "photo.png"), "text") == {  # noqa: B009
        "Author": "Vermeer",
        "Title": "Het Straatje é",
    }
    picture().save(tmp_path / "photo.jpg", comment=b"by hand")
    assert through(tmp_path / "photo.jpg").info["comment"] == b"by hand"


def test_a_damaged_profile_is_known(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    for profile, damaged in ((b"nonsense", True), (wide_gamut(), False), (b"", False)):
        picture().save(path, icc_profile=profile)
        assert read_photo(path).damaged_profile == damaged
