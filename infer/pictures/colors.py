"""The colours of one picture with the light and dark of another."""

from PIL import Image


def keep_colors(stylized: Image.Image, photo: Image.Image) -> Image.Image:
    """Take the luminance of the stylized picture and the colours of the photo.

    Args:
        stylized: mode "RGB".
        photo: mode "RGB", of the same size.
    Returns:
        A new picture, mode "RGB".
    Raises:
        ValueError: if the sizes differ.
    Source:
        Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer", section 4, with
        YCbCr in place of YIQ.
    """
    if stylized.size != photo.size:
        raise ValueError(f"sizes differ: {stylized.size} and {photo.size}")
    luminance = stylized.convert("YCbCr").getchannel("Y")
    _, blue, red = photo.convert("YCbCr").split()
    return Image.merge("YCbCr", (luminance, blue, red)).convert("RGB")
