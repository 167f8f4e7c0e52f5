"""A photo file: its pixels, and what stands beside them and should come back.

Format in is format out: the quality of a JPEG, camera data, colour profile, resolution and
transparency of the result are those of the photo.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms

from nst.infer.pictures.encodings import encoding_of
from nst.infer.pictures.images import (
    Source,
    as_rgb,
    encode_image,
    format_of,
    is_srgb,
    opened,
    upright,
)
from nst.infer.pictures.pixel_limit import MAX_PIXELS

EXIF_FORMATS = frozenset({"JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"})
XMP_FORMATS = frozenset({"JPEG", "WEBP", "AVIF", "HEIF"})
DPI_FORMATS = frozenset({"JPEG", "PNG", "TIFF", "BMP"})
QUALITY_FORMATS = frozenset({"JPEG", "WEBP", "AVIF", "HEIF"})
"""Formats that throw detail away, as much as a quality from 1 to 100 says."""

SEQUENCE_FORMATS = frozenset({"GIF", "PNG", "WEBP", "AVIF", "TIFF"})
"""Formats whose further pictures are frames or pages, not layers or thumbnails."""

LAYOUT_TAGS = frozenset(
    (*range(254, 267), *range(273, 285), *range(296, 298), *range(317, 334), *range(338, 348))
) | {ExifTags.Base.XMLPacket, ExifTags.Base.InterColorProfile, ExifTags.Base.ImageResources}
"""Tags of a TIFF file that say where its pixels are, or hold what is kept elsewhere."""


@dataclass(frozen=True)
class Photo:
    """A photo as it was read.

    Attributes:
        image: upright, in sRGB, mode "RGB", or "RGBA" if there is transparency.
        format: Pillow's name of the file's format, such as "JPEG".
        exif: camera data without orientation, thumbnail and layout; empty if there are none.
        xmp: the same kind of data as XML; empty if there are none.
        profile: ICC profile of its RGB pixels; empty for grey and CMYK, or if there was none.
        dpi: resolution in pixels per inch, across and down, if the file tells it.
        encoding: how it was encoded, for Pillow's ``save`` in the same format.
        deep: whether it had more than 8 bits per channel, which the result will not have.
        frames: of an animation, or pages; 1 for a single picture.
        damaged_profile: whether its colour profile could not be read, so that it was left out.
    """

    image: Image.Image
    format: str
    exif: bytes = b""
    xmp: bytes = b""
    profile: bytes = b""
    dpi: tuple[float, float] | None = None
    encoding: Mapping[str, Any] = field(default_factory=dict)
    deep: bool = False
    frames: int = 1
    damaged_profile: bool = False


def read_size(source: Source, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Find out the size of a picture without decoding it.

    Args:
        source: as for ``read_photo``.
        max_pixels: the most that it may have.
    Returns:
        Width and height in pixels, as stored: a photo may have to be turned.
    Raises:
        UserError: if it is missing, empty, no picture, or has more pixels.
    """
    with opened(source, max_pixels=max_pixels) as image:
        return image.size


def read_photo(source: Source, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Read a picture and what its file holds besides.

    Args:
        source: a file in any format that Pillow reads, or its content; of an animation, the first
            frame.
        max_pixels: the most that it may have.
    Raises:
        UserError: if it is missing, empty, damaged, no picture, or has more pixels.
    """
    with opened(source, max_pixels=max_pixels) as image:
        deep = has_16_bits(image)
        frames = getattr(image, "n_frames", 1) if image.format in SEQUENCE_FORMATS else 1
        image.load()
        upright(image)
        encoding = encoding_of(image, source)
        xmp = image.info.get("xmp", b"")
        return Photo(
            as_rgb(image),
            "JPEG" if image.format == "MPO" else image.format or "",
            exif=camera_data(image),
            xmp=xmp if isinstance(xmp, bytes) else b"",
            profile=rgb_profile(image),
            dpi=resolution(image),
            encoding=encoding,
            deep=deep,
            frames=frames,
            damaged_profile=has_damaged_profile(image),
        )


def encode_photo(
    stylized: Image.Image, path: Path, photo: Photo, *, quality: int | None = None
) -> memoryview:
    """Encode what was made of a photo, with what the photo's file held besides pixels.

    Args:
        stylized: in sRGB, mode "RGB" or "RGBA".
        path: that it is for; its suffix names the format.
        photo: that it was made of.
        quality: 1 to 100, for formats that have one; None is the photo's own, or 95.
    Returns:
        What ``nst.infer.pictures.images.write_encoded`` takes.
    Raises:
        UserError: if the suffix is unknown, or the format cannot hold the picture.
    """
    target = format_of(path)
    options: dict[str, Any] = dict(photo.encoding) if target == photo.format else {}
    if quality is not None and target in QUALITY_FORMATS:
        for own in ("qtables", "lossless"):
            options.pop(own, None)
        options["quality"] = quality
    if photo.exif and target in EXIF_FORMATS:
        options["exif"] = photo.exif
    if photo.xmp and target in XMP_FORMATS:
        options["xmp"] = photo.xmp
    if photo.dpi and target in DPI_FORMATS:
        options["dpi"] = photo.dpi
    if photo.profile and target != "BMP":
        stylized, options["icc_profile"] = in_profile(stylized, photo.profile), photo.profile
    return encode_image(stylized, path, options)


def has_16_bits(image: Image.Image) -> bool:
    """Whether a picture that was opened but not loaded has more than 8 bits per channel."""
    stored = " ".join(str(tile[3]) for tile in getattr(image, "tile", ()))
    return image.mode.startswith(("I", "F")) or re.search(r";16", stored) is not None


def camera_data(image: Image.Image) -> bytes:
    """EXIF of an upright picture. Damaged data are left out."""
    with suppress(Exception):
        exif = image.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        for tag in [tag for tag in exif if tag in LAYOUT_TAGS or tag == ExifTags.Base.Orientation]:
            del exif[tag]
        for tag, side in (
            (ExifTags.Base.ExifImageWidth, image.width),
            (ExifTags.Base.ExifImageHeight, image.height),
        ):
            if tag in details:
                details[tag] = side
        return exif.tobytes() if len(exif) else b""
    return b""


def rgb_profile(image: Image.Image) -> bytes:
    """The ICC profile of a picture with RGB pixels; broken ones are left out."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "P", "PA"):
        return b""
    with suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
        if ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip() == "RGB":
            return bytes(profile)
    return b""


def has_damaged_profile(image: Image.Image) -> bool:
    """Whether there is an ICC profile that cannot be read."""
    profile = image.info.get("icc_profile")
    if not profile:
        return False
    try:
        ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return True
    return False


def resolution(image: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch, if the file tells it sensibly."""
    with suppress(TypeError, ValueError, ZeroDivisionError, OverflowError):
        across, down = (float(value) for value in image.info.get("dpi", ()))
        if 1 <= across < 1e5 and 1 <= down < 1e5:
            return across, down
    return None


def in_profile(stylized: Image.Image, profile_bytes: bytes) -> Image.Image:
    """A picture in sRGB in the colours of another profile; transparency stays."""
    profile = ImageCms.ImageCmsProfile(BytesIO(profile_bytes))
    if is_srgb(profile):
        return stylized
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), profile, "RGB", "RGB")
    converted = ImageCms.applyTransform(stylized.convert("RGB"), transform)
    assert converted is not None
    if stylized.mode == "RGBA":
        converted.putalpha(stylized.getchannel("A"))
    return converted
