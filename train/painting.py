"""The painting as a tensor."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nst.infer.errors import UserError
from nst.infer.pictures.images import on_white, read_image
from nst.models.checkpoints import printable

MIN_SIDE_PX = 64
SAME_LEVELS = 4
"""Most by which decoders differ on one file, of 255."""


def style_name(path: Path) -> str:
    """What a style is called: as the file of its painting."""
    return printable(path.stem)


def load_painting(path: Path, *, long_side_px: int) -> Tensor:
    """Read a painting at the size at which its strokes are to be learned.

    A stroke that is 20 px long here comes out about 20 px long in every stylized picture.

    Args:
        path: any picture that Pillow reads; transparency is put on white.
        long_side_px: the longer side is scaled down to this; a smaller painting stays as it is.
    Returns:
        (1, 3, H, W), float32, RGB in [0, 1].
    Raises:
        UserError: if it cannot be read, or a side is under 64 px.
    """
    painting = at_size(on_white(read_image(path)), long_side_px)
    height, width = painting.shape[-2:]
    if min(height, width) < MIN_SIDE_PX:
        raise UserError(
            f"the painting {path} is {width}x{height} px: it needs at least "
            f"{MIN_SIDE_PX} px on each side to show a stroke"
        )
    return painting


def refuse_other_painting(path: Path, learned: Tensor, *, long_side_px: int) -> None:
    """Refuse to go on with another painting than the one that a run began with.

    Args:
        path: of the painting now.
        learned: (1, 3, H, W), uint8, RGB: what the checkpoint keeps.
        long_side_px: size at which that was learned.
    Raises:
        UserError: if it is another picture, or cannot be read.
    """
    painting = load_painting(path, long_side_px=long_side_px).mul(255)
    if painting.shape != learned.shape or (painting - learned.cpu()).abs().max() > SAME_LEVELS:
        raise UserError(
            f"{path} is another picture than the one that this run has learned: put that one back, "
            "or begin anew with --run.overwrite true in place of --resume (--warm-start RUN keeps "
            "what the network can)"
        )


def at_size(picture: Image.Image, long_side_px: int) -> Tensor:
    """RGB picture to (1, 3, H, W) in [0, 1], shrunk so that its longer side is this at most."""
    size = shrunk_size(picture, long_side_px)
    return to_tensor(picture.resize(size, Image.Resampling.LANCZOS)).unsqueeze(0)


def shrunk_size(picture: Image.Image, long_side_px: int) -> tuple[int, int]:
    """Width and height of a picture whose longer side is shrunk to this."""
    factor = min(1.0, long_side_px / max(picture.size))
    return max(1, round(picture.width * factor)), max(1, round(picture.height * factor))


def to_tensor(picture: Image.Image) -> Tensor:
    """RGB picture to (3, H, W), float32 in [0, 1]."""
    return torch.from_numpy(np.array(picture, dtype=np.float32) / 255.0).permute(2, 0, 1)


def to_picture(image: Tensor) -> Image.Image:
    """(3, H, W), clamped to [0, 1], to an RGB picture."""
    pixels = image.detach().float().clamp(0, 1).mul(255).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy())
