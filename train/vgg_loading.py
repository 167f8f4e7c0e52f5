"""The VGG that a user chose, ready to compare pictures."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from nst.infer.errors import UserError
from nst.models import VGGFeatures, VGGPadding
from nst.train.errors import refuse_too_large
from nst.train.precision import default_precision
from nst.train.vgg_choice import VGGChoice


class BytesPerPixel(NamedTuple):
    """Peak memory of a process beside its start, by the precision of its VGG."""

    bf16: int
    float32: int


FEATURES = BytesPerPixel(600, 950)
"""For features without gradients, measured at 1024 and 2048 px."""
GRADIENTS = BytesPerPixel(3400, 4400)
"""For the picture's gradient and L-BFGS, measured at 1024 px."""


def load_vgg(
    layers: Sequence[str], choice: VGGChoice, *, padding: VGGPadding = "reflect"
) -> VGGFeatures:
    """The VGG on its device and in its precision.

    Raises:
        ValueError: if a layer does not exist.
        ModelFileError: if the weights cannot be had.
        UserError: if there is no GPU where one is asked for.
    """
    if choice.threads:
        torch.set_num_threads(choice.threads)
    cuda = torch.cuda.is_available()
    if choice.device == "cuda" and not cuda:
        raise UserError("there is no CUDA device: use --device cpu")
    device = "cuda" if cuda and choice.device != "cpu" else "cpu"
    vgg = VGGFeatures(layers, arch=choice.arch, weights=choice.weights, padding=padding)
    fast = default_precision(device) == "bf16-mixed"
    if choice.precision == "bf16" or (choice.precision == "auto" and fast):
        vgg.cast_convolutions(torch.bfloat16)
    return vgg.to(device)


def refuse_large_pictures(
    vgg: VGGFeatures, size_px: tuple[int, int], needs: BytesPerPixel, *, flag: str = "--size"
) -> None:
    """Refuse a picture that the VGG has no memory for, on a CPU.

    Args:
        vgg: loaded.
        size_px: width and height.
        needs: FEATURES or GRADIENTS.
        flag: what makes pictures smaller.
    Raises:
        UserError: with the size and what is free.
    """
    if vgg.device.type != "cpu":
        return
    width, height = size_px
    needed = width * height * (needs.bf16 if vgg.dtype == torch.bfloat16 else needs.float32)
    refuse_too_large(needed, what=f"a picture of {width}x{height} px", flag=flag)
