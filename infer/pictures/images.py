"""Reading and writing pictures with Pillow."""

import errno
import importlib.util
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from nst.infer.errors import UserError, os_error_reason
from nst.infer.files import atomic_write, require_file
from nst.infer.pictures.pixel_limit import MAX_PIXELS, pixel_limit

HEIC_SUFFIXES = (".heic", ".heif")

Source: TypeAlias = Path | BytesIO
"""A file, or what it holds."""

# What Pillow's decoders raise on damaged data, besides OSError.
_DECODER_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class _Encoding(NamedTuple):
    pillow_format: str
    has_alpha: bool
    options: dict[str, Any]


_JPEG = _Encoding("JPEG", False, {"quality": 95, "subsampling": "4:4:4"})
_TIFF = _Encoding("TIFF", True, {})
_ENCODINGS = {
    ".bmp": _Encoding("BMP", False, {}),
    ".gif": _Encoding("GIF", True, {}),
    ".jpeg": _JPEG,
    ".jpg": _JPEG,
    ".png": _Encoding("PNG", True, {}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".webp": _Encoding("WEBP", True, {"quality": 95}),
}
if "avif" in features.modules and features.check("avif"):
    _ENCODINGS[".avif"] = _Encoding("AVIF", True, {"quality": 90})
if importlib.util.find_spec("pillow_heif"):
    _ENCODINGS |= dict.fromkeys(HEIC_SUFFIXES, _Encoding("HEIF", True, {"quality": 90}))
OUTPUT_SUFFIXES = tuple(sorted(_ENCODINGS))
"""Every suffix that can be written, in lower case."""


def read_image(source: Path, *, draft_px: int | None = None) -> Image.Image:
    """Read a picture, upright, in sRGB.

    Args:
        source: a file in any format that Pillow reads; of an animation, the first frame.
        draft_px: a JPEG may be decoded at a smaller size whose sides are at least this, which is
            several times as fast; None decodes it whole.
    Returns:
        Mode "RGBA" if the picture has transparency, else "RGB". The EXIF orientation is applied.
    Raises:
        UserError: if the file is missing, empty, damaged, no picture, or has over 250 megapixels.
    """
    with opened(source) as image:
        if draft_px is not None:
            image.draft(None, (draft_px, draft_px))
        image.load()
        upright(image)
        return as_rgb(image)


@contextmanager
def opened(source: Source, *, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open a picture without decoding it; what is wrong with it while it is open is a UserError.

    Args:
        source: a file in any format that Pillow reads, or its content.
        max_pixels: the most that it may have.
    Raises:
        UserError: as ``read_image``.
    """
    if isinstance(source, Path):
        require_file(source)
    elif not source.getbuffer():
        raise UserError(f"cannot read {source}: it is empty (0 bytes)")
    _register_heif()
    with reading(source, max_pixels), Image.open(source) as image:
        if 0 in image.size:
            raise UserError(f"cannot read {source}: the picture has no pixels")
        if image.width * image.height > max_pixels:
            raise _too_many_pixels(source, max_pixels)
        yield image


@contextmanager
def reading(source: Source, max_pixels: int = MAX_PIXELS) -> Iterator[None]:
    """What Pillow raises in here about a picture is a UserError.

    Args:
        source: the picture, for the message.
        max_pixels: the most that it may have.
    Raises:
        UserError: as ``read_image``.
    """
    with _readable_errors(source, max_pixels), pixel_limit(max_pixels):
        yield


@cache
def _register_heif() -> None:
    """Let Pillow read and write HEIC where the package for it is installed."""
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()


def upright(image: Image.Image) -> None:
    """Turn a picture as its EXIF orientation says, in place."""
    with suppress(OSError, *_DECODER_ERRORS):  # damaged EXIF data is no reason to refuse pixels
        ImageOps.exif_transpose(image, in_place=True)


def write_image(image: Image.Image, path: Path, options: Mapping[str, Any] | None = None) -> None:
    """Write a picture in the format that its suffix names.

    Args:
        image: mode "RGB" or "RGBA". Transparency is laid on white for formats without it.
        path: the file to write or replace; it never holds half a picture.
        options: for Pillow's ``save``, beside and before those of the format.
    Raises:
        UserError: if the suffix is unknown, the format cannot hold the picture's size, or the
            file cannot be written.
    """
    write_encoded(encode_image(image, path, options), path)


def encode_image(
    image: Image.Image, path: Path, options: Mapping[str, Any] | None = None
) -> memoryview:
    """What ``write_image`` writes.

    In memory: when Pillow writes to a disk that is full, it loses the reason.
    """
    check_output_suffix(path)
    _register_heif()
    encoding = _ENCODINGS[path.suffix.lower()]
    if image.mode == "RGBA" and not encoding.has_alpha:
        image = on_white(image)
    encoded = BytesIO()
    try:
        image.save(encoded, encoding.pillow_format, **{**encoding.options, **(options or {})})
    except (OSError, ValueError, struct.error) as error:
        size = f"{image.width}x{image.height}"
        raise UserError(
            f"cannot write {path}: {encoding.pillow_format} cannot hold {size} pixels, "
            "choose another suffix"
        ) from error
    return encoded.getbuffer()


def write_encoded(encoded: memoryview, path: Path) -> None:
    """Write a file that never holds half of it.

    Raises:
        UserError: if it cannot be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_bytes(encoded)


def format_of(path: Path) -> str:
    """Pillow's name of the format that a suffix names.

    Raises:
        UserError: as ``check_output_suffix``.
    """
    check_output_suffix(path)
    return _ENCODINGS[path.suffix.lower()].pillow_format


def suffix_of_format(pillow_format: str) -> str:
    """A suffix that names a format of Pillow, ``.png`` for one that cannot be written."""
    suffixes = {each.pillow_format: suffix for suffix, each in _ENCODINGS.items()}
    return suffixes.get(pillow_format, ".png")


def has_alpha(pillow_format: str) -> bool:
    """Whether pictures in a format that can be written may be transparent."""
    return any(each.has_alpha for each in _ENCODINGS.values() if each[0] == pillow_format)


def check_output_suffix(path: Path) -> None:
    """Refuse a picture file name whose format cannot be written.

    Args:
        path: the file to write; upper and lower case are the same.
    Raises:
        UserError: listing the suffixes that can be written.
    """
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        supported = ", ".join(OUTPUT_SUFFIXES)
        has = f"suffix {path.suffix} is not supported" if path.suffix else "the name has no suffix"
        raise UserError(f"cannot write {path}: {has}, use one of {supported}")


def as_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture of any mode to 8-bit sRGB.

    Args:
        image: any mode; a colour profile in ``image.info`` is applied.
    Returns:
        A new picture of mode "RGBA" if there is transparency, else "RGB", without ``info``.
    """
    profile = image.info.get("icc_profile")
    image = _to_8_bit(image)
    alpha = None
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        # By way of RGBA: leaving a palette with transparency directly warns.
        image = image.convert("L" if image.mode == "LA" else "RGBA")
    rgb = _to_srgb(image if image.mode in ("L", "CMYK", "RGB") else image.convert("RGB"), profile)
    if alpha is not None:
        rgb.putalpha(alpha)
    rgb.info.clear()  # or a writer would attach the old profile and orientation
    return rgb


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and floating-point grey to "L", which Pillow's convert would clip."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    stored = np.asarray(image)
    grey = np.nan_to_num(stored.astype(np.float32))
    peak = float(grey.max())
    full_scale = max(65535.0, peak) if image.mode != "F" else 255.0 if peak > 1 else 1.0
    scaled = np.rint((grey / full_scale).clip(0, 1) * 255).astype(np.uint8)
    scaled_image = Image.fromarray(scaled)
    if "transparency" in image.info:
        opaque = (stored != image.info["transparency"]).astype(np.uint8) * 255
        return Image.merge("LA", (scaled_image, Image.fromarray(opaque)))
    return scaled_image


def _to_srgb(image: Image.Image, profile_bytes: bytes | None) -> Image.Image:
    """Convert "L", "RGB" or "CMYK" to "RGB", through its colour profile if that is usable."""
    if profile_bytes:
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(profile_bytes))
            if not is_srgb(profile):
                srgb = ImageCms.createProfile("sRGB")
                transform = ImageCms.buildTransform(profile, srgb, image.mode, "RGB")
                return ImageCms.applyTransform(image, transform) or image
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # a broken profile, or one for other channels: the plain conversion serves
    return image.convert("RGB")


def is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether a colour profile is that of sRGB."""
    return "sRGB" in ImageCms.getProfileDescription(profile)


def on_white(image: Image.Image) -> Image.Image:
    """Lay a picture of mode "RGBA" on white; one of mode "RGB" stays as it is."""
    return laid_on(image, "white")


def laid_on(image: Image.Image, color: str) -> Image.Image:
    """Lay a picture of mode "RGBA" on a color; one of mode "RGB" stays as it is."""
    if image.mode == "RGB":
        return image
    ground = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(ground, image).convert("RGB")


@contextmanager
def _readable_errors(source: Source, max_pixels: int) -> Iterator[None]:
    try:
        yield
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(source, max_pixels) from error
    except UnidentifiedImageError as error:
        reason = "not a picture, or damaged"
        if str(source).lower().endswith(HEIC_SUFFIXES) and ".heic" not in OUTPUT_SUFFIXES:
            reason = "HEIC needs another package, pip install 'nst[heif]' brings it"
        raise UserError(f"cannot read {source}: {reason}") from error
    except MemoryError as error:
        raise UserError(f"cannot read {source}: too large for the memory, shrink it") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # EINVAL: a seek to an offset in damaged data
            raise UserError(f"cannot read {source}: {os_error_reason(error)}") from error
        raise UserError(f"cannot read {source}: the file is damaged ({error})") from error
    except _DECODER_ERRORS as error:
        raise UserError(f"cannot read {source}: the file is damaged ({error})") from error


def _too_many_pixels(source: Source, max_pixels: int) -> UserError:
    limit = f"{max_pixels / 1_000_000:g} megapixels"
    return UserError(f"cannot read {source}: it has more than {limit}, shrink it")
