"""How the pixels of a file were encoded, so that a result can be encoded alike."""

import struct
from pathlib import Path
from typing import IO, Any

from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from nst.infer.pictures.images import Source

TIFF_COMPRESSIONS = frozenset({"tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"})
"""Compressions of TIFF that lose nothing and take any pixels."""


def encoding_of(image: Image.Image, source: Source) -> dict[str, Any]:
    """What Pillow's ``save`` needs to encode a result as a picture is encoded.

    Args:
        image: opened and loaded; PNG's texts, too, count as a way to encode.
        source: that it was opened from.
    Returns:
        Options for the same format; empty where there is nothing to tell.
    """
    match image.format:
        case "JPEG" | "MPO":
            return jpeg_encoding(image)
        case "PNG":
            return png_texts(image)
        case "TIFF":
            return tiff_compression(image)
        case "WEBP":
            return webp_encoding(source)
    return {}


def jpeg_encoding(image: Image.Image) -> dict[str, Any]:
    """Quantization tables, colour resolution and order of a JPEG, and its comment."""
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    # Pillow would scale the tables by a quality; -1 is none.
    encoding: dict[str, Any] = {"qtables": image.quantization, "quality": -1}
    subsampling = JpegImagePlugin.get_sampling(image)
    if subsampling >= 0:
        encoding["subsampling"] = subsampling
    if image.info.get("progressive"):
        encoding["progressive"] = True
    if image.info.get("comment"):
        encoding["comment"] = image.info["comment"]
    return encoding


def png_texts(image: Image.Image) -> dict[str, Any]:
    """Title, author, XMP and the like of a PNG."""
    assert isinstance(image, PngImagePlugin.PngImageFile)
    texts = PngImagePlugin.PngInfo()
    for name in image.text:
        # Camera data are kept elsewhere; what upright() changed stands in info.
        text = image.info.get(name)
        if text and not name.startswith("Raw profile type"):
            texts.add_itxt(name, text, getattr(text, "lang", ""), getattr(text, "tkey", ""))
    return {"pnginfo": texts} if texts.chunks else {}


def tiff_compression(image: Image.Image) -> dict[str, Any]:
    """The compression of a TIFF, or for one that only fits its pixels another without loss."""
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    stored = image.info.get("compression", "raw")
    if stored == "raw":
        return {}
    return {"compression": stored if stored in TIFF_COMPRESSIONS else "tiff_adobe_deflate"}


def webp_encoding(source: Source) -> dict[str, Any]:
    """Whether a WebP is without loss."""
    if not isinstance(source, Path):
        source.seek(0)
        return {"lossless": True, "quality": 75} if is_lossless_webp(source) else {}
    with source.open("rb") as file:
        return {"lossless": True, "quality": 75} if is_lossless_webp(file) else {}


def is_lossless_webp(file: IO[bytes]) -> bool:
    """Whether the pixels of a WebP, read from its begin, are without loss."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name in (b"VP8 ", b"VP8L"):
            return bool(name == b"VP8L")
        file.seek(size + size % 2, 1)
    return False
