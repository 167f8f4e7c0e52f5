"""A network as apps want it. To be traced into a graph, not run."""

from collections.abc import Mapping
from copy import deepcopy
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.export.statistics import StatisticsDesk
from nst.infer.engine.metadata import STATISTICS_INPUT, STRENGTH_INPUT
from nst.models import StyleNet, at_strength
from nst.models.layers import ComposedConv2d, spread_blocks
from nst.models.style_net import OUTPUT_CENTRE, OUTPUT_SCALE

Knobs: TypeAlias = Mapping[str, Tensor]
"""The optional inputs that a graph has, by name: ``strength``, (1,), 0 to 1, and
``fixed_statistics``, (1, channels, 2), see ``StatisticsDesk``."""


class AppNet(nn.Module):
    """A network with the scales of its pictures folded into its first and last layer.

    Args:
        net: is not changed.
        levels: the largest pixel value of the app, 255 or 1.
        statistics: whether the statistics of the norms go in and come out.
    Attributes:
        desk: where the statistics change hands; None without them.
    """

    def __init__(self, net: StyleNet, *, levels: float, statistics: bool) -> None:
        super().__init__()
        self.net = deepcopy(net)
        self.net.rescale(
            image=1 / levels, result=levels * OUTPUT_SCALE, centre=levels * OUTPUT_CENTRE
        )
        for name, layer in list(self.net.named_modules()):
            if isinstance(layer, ComposedConv2d):
                self.net.set_submodule(name, layer.plain())
        self.desk = StatisticsDesk(self.net) if statistics else None

    def blocks(self, photos: Tensor, knobs: Knobs) -> Tensor:
        """What the last layer makes of (N, 3, H, W), 0 to ``levels``."""
        if self.desk is not None:
            self.desk.open(knobs[STATISTICS_INPUT])
        with at_strength(self.net, knobs.get(STRENGTH_INPUT)):
            return self.net.blocks(photos)

    def results(self, stylized: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """The picture, and with it the statistics that it used where they come out."""
        return stylized if self.desk is None else (stylized, self.desk.close())


class BytesNet(AppNet):
    """Bytes in, bytes out, channels last.

    Scaling, clamping and rounding are part of the graph, so that no app can get them wrong. Pixels
    are put in their places as bytes: beside a small network such steps in float32 cost as much as
    its layers.
    """

    def __init__(self, net: StyleNet, *, statistics: bool = False) -> None:
        super().__init__(net, levels=255.0, statistics=statistics)

    def forward(self, image: Tensor, knobs: Knobs) -> Tensor | tuple[Tensor, Tensor]:
        """(N, H, W, 3), uint8, RGB, to the same shape and type."""
        side = self.net.block_px
        height, width = image.shape[1:3]
        blocks = self.blocks(image.permute(0, 3, 1, 2).float(), knobs)
        if STRENGTH_INPUT in knobs:
            rows, columns = (cells * side for cells in blocks.shape[2:])
            padded = F.pad(image, (0, 0, 0, columns - width, 0, rows - height))
            blocks = mix(pixels_to_blocks(padded, side).float(), blocks, knobs[STRENGTH_INPUT])
        pixels = blocks_to_pixels(to_bytes(blocks), side)
        return self.results(pixels[:, :height, :width])


class FloatNet(AppNet):
    """RGB in [0, 1], channels first, float32, in and out, for runtimes that take no bytes."""

    def __init__(self, net: StyleNet, *, statistics: bool = False) -> None:
        super().__init__(net, levels=1.0, statistics=statistics)

    def forward(self, image: Tensor, knobs: Knobs) -> Tensor | tuple[Tensor, Tensor]:
        """(N, 3, H, W), float32, to the same."""
        height, width = image.shape[2:]
        pixels = spread_blocks(self.blocks(image, knobs), self.net.block_px)
        pixels = pixels[..., :height, :width]
        if STRENGTH_INPUT in knobs:
            pixels = mix(image, pixels, knobs[STRENGTH_INPUT])
        return self.results(pixels.clamp(0, 1))


def mix(photo: Tensor, stylized: Tensor, strength: Tensor) -> Tensor:
    """The photo at strength 0, the stylized picture at 1."""
    return photo + strength * (stylized - photo)


def to_bytes(x: Tensor) -> Tensor:
    """Round half to even and clamp to 0..255, in one operator."""
    one, zero = torch.tensor(1.0), torch.tensor(0, dtype=torch.uint8)
    levels: Tensor = torch.onnx.ops.symbolic(
        "QuantizeLinear", (x, one, zero), dtype=torch.uint8, shape=x.shape
    )
    return levels


def blocks_to_pixels(blocks: Tensor, side: int) -> Tensor:
    """(N, 3 * side**2, H, W), see ``StyleNet.blocks``, to (N, side * H, side * W, 3).

    Row by row of the blocks: onnxruntime moves whole channels and whole rows several times faster
    than ``DepthToSpace`` or a transposition of six axes moves single values.
    """
    batch, _, height, _ = blocks.shape
    rows = [
        row.permute(0, 2, 3, 1).reshape(batch, height, 1, -1) for row in blocks.chunk(side, dim=1)
    ]
    return torch.cat(rows, dim=2).reshape(batch, side * height, -1, 3)


def pixels_to_blocks(pixels: Tensor, side: int) -> Tensor:
    """The way back, (N, side * H, side * W, 3) to (N, 3 * side**2, H, W)."""
    batch, height, width, _ = pixels.shape
    rows = pixels.reshape(batch, height // side, side, width // side, 3 * side)
    return torch.cat([row.permute(0, 3, 1, 2) for row in rows.unbind(2)], dim=1)
