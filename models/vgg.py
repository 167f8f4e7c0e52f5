"""VGG-16 and VGG-19 as frozen feature extractors.

Source: Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", configurations D and E.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.models.layers import reflect_pad
from nst.models.vgg_weights import CONVS_PER_BLOCK, VGGArch, VGGWeights, load_vgg_weights

VGGPadding = Literal["zeros", "reflect"]


def layer_names(arch: VGGArch) -> list[str]:
    """Names of all layers that can be asked for, shallow to deep: conv1_1, relu1_1 and so on."""
    return [
        f"{kind}{block}_{number}"
        for block, convs in enumerate(CONVS_PER_BLOCK[arch], start=1)
        for number in range(1, convs + 1)
        for kind in ("conv", "relu")
    ]


class VGGFeatures(nn.Module):
    """Activations of a frozen VGG, by name.

    The weights are non-persistent buffers: they have no gradient, no optimiser sees them, and
    they stay out of checkpoints.

    Args:
        layers: names such as ``relu1_2``, ``relu4_1``, ``conv4_2``. Nothing deeper than the
            deepest of them is loaded or computed.
        arch: ``vgg16`` or ``vgg19``.
        weights: where the weights come from, see ``nst.models.vgg_weights``; or the weights.
        padding: ``zeros``, as the VGGs were trained, or ``reflect``. A network that is trained on
            features with zeros learns to make up for them along the border of its picture, and
            every stylized photo gets a frame. With reflection a flat picture has flat features.
    Raises:
        ValueError: if a layer does not exist.
        ModelFileError: if the weights cannot be had.
    """

    mean: Tensor

    def __init__(
        self,
        layers: Sequence[str],
        *,
        arch: VGGArch = "vgg19",
        weights: str | Path | VGGWeights = "auto",
        padding: VGGPadding = "zeros",
    ) -> None:
        super().__init__()
        self.padding = padding
        self.arch: VGGArch = arch
        self.layers = tuple(layers)
        self.check_layers(self.layers)
        if not isinstance(weights, VGGWeights):
            weights = load_vgg_weights(weights, arch=arch, convs=self.convs_to(self.layers))
        self.source = weights.source
        self.register_buffer("mean", weights.mean.view(1, 3, 1, 1), persistent=False)
        for conv in self.convs_to(self.layers):
            weight, bias = weights.convs[conv]
            weight = weight.contiguous(memory_format=torch.channels_last)
            self.register_buffer(f"{conv}_weight", weight, persistent=False)
            self.register_buffer(f"{conv}_bias", bias, persistent=False)

    def forward(self, images: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Activations of a batch.

        Args:
            images: (B, 3, H, W), RGB in [0, 1], H and W at least ``min_side_px(layers)``.
            layers: some of the layers given at construction; all of them by default.
        Returns:
            Layer name to (B, C, H', W'), in the dtype of the VGG's convolutions.
        Raises:
            ValueError: if ``layers`` names one that was not asked for at construction, or the
                images are too small for them.
        """
        wanted = self.layers if layers is None else tuple(layers)
        missing = sorted(set(wanted) - set(self.layers))
        if missing:
            raise ValueError(f"{', '.join(missing)} not among this VGG's layers")
        height, width = images.shape[-2:]
        if min(height, width) < self.min_side_px(wanted):
            raise ValueError(
                f"{width}x{height} px are too few for {wanted[-1]}: "
                f"it needs {self.min_side_px(wanted)} px on each side"
            )
        x = (images - self.mean).to(self.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for conv in self.convs_to(wanted):
            block, number = conv.removeprefix("conv").split("_")
            if number == "1" and block != "1":
                x = F.max_pool2d(x, 2)
            x = self.convolution(conv, x)
            relu = f"relu{block}_{number}"
            if conv in wanted:
                found[conv] = x
            x = F.relu(x)
            if relu in wanted:
                found[relu] = x
        return {layer: found[layer] for layer in wanted}

    @property
    def dtype(self) -> torch.dtype:
        """Of the convolutions."""
        return self.get_buffer("conv1_1_weight").dtype

    @property
    def device(self) -> torch.device:
        """Where it runs, and where its images must be."""
        return self.mean.device

    def min_side_px(self, layers: Sequence[str]) -> int:
        """Smallest side of an image that reaches the deepest of ``layers``."""
        deepest_block = max(int(layer[4]) for layer in layers)
        cells = 2 if self.padding == "reflect" else 1  # one cell has no mirror image
        return cells << (deepest_block - 1)

    def convolution(self, name: str, x: Tensor) -> Tensor:
        """One of the convolutions, (B, C, H, W) to (B, C', H, W)."""
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        if self.padding == "reflect":
            return F.conv2d(reflect_pad(x, 1), weight, bias)
        return F.conv2d(x, weight, bias, padding=1)

    def cast_convolutions(self, dtype: torch.dtype) -> None:
        """Keep the convolutions' weights in ``dtype`` from now on: features come out in it."""
        for name, buffer in self.named_buffers():
            if name.startswith("conv"):
                self.register_buffer(name, buffer.to(dtype), persistent=False)

    def check_layers(self, layers: Sequence[str]) -> None:
        """Raise ValueError unless each of ``layers`` exists and there is at least one."""
        known = layer_names(self.arch)
        unknown = [layer for layer in layers if layer not in known]
        if unknown or not layers:
            blocks = enumerate(CONVS_PER_BLOCK[self.arch], start=1)
            last = ", ".join(f"relu{block}_{convs}" for block, convs in blocks)
            raise ValueError(
                f"unknown layer {', '.join(unknown) or '(none given)'}: {self.arch} has conv1_1, "
                f"relu1_1, conv1_2 and so on, its blocks end with {last}"
            )

    def convs_to(self, layers: Sequence[str]) -> list[str]:
        """The convolutions up to the deepest of ``layers``, shallow to deep."""
        known = layer_names(self.arch)
        deepest = max(known.index(layer) for layer in layers)
        return [name for name in known[: deepest + 1] if name.startswith("conv")]
