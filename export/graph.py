"""From a trained network to an ONNX graph that asks nothing of the app around it."""

from copy import deepcopy

import onnx
import torch
from torch import Tensor, nn

from nst.export.statistics import OWN, StatisticsDesk
from nst.infer.metadata import STATISTICS_INPUT, STATISTICS_OUTPUT
from nst.models import StyleNet
from nst.models.layers import ComposedConv2d
from nst.models.style_net import OUTPUT_CENTRE, OUTPUT_SCALE

INPUT = "image"
OUTPUT = "stylized"
AXES = {
    INPUT: {0: "batch", 1: "height", 2: "width"},
    OUTPUT: {0: "batch", 1: "height", 2: "width"},
    STATISTICS_INPUT: {},
    STATISTICS_OUTPUT: {0: "batch"},
}
"""Axes of any size, by the names that a reader of the file expects."""
OPSETS = range(18, 22)
DEFAULT_OPSET = 18


class BytesNet(nn.Module):
    """The network as apps want it: bytes in, bytes out, channels last. To be traced, not run.

    Scaling, clamping and rounding are part of the graph, so that no app can get them wrong. The
    scales are folded into the first and the last layer, and pixels are put in their places as
    bytes: beside a small network such steps in float32 cost as much as its layers.
    """

    def __init__(self, net: StyleNet) -> None:
        super().__init__()
        self.net = deepcopy(net)
        self.net.rescale(image=1 / 255, result=255 * OUTPUT_SCALE, centre=255 * OUTPUT_CENTRE)
        for name, layer in list(self.net.named_modules()):
            if isinstance(layer, ComposedConv2d):
                self.net.set_submodule(name, layer.plain())

    def forward(self, image: Tensor) -> Tensor:
        """(N, H, W, 3), uint8, RGB, to the same shape and type."""
        height, width = image.shape[1:3]
        blocks = to_bytes(self.net.blocks(image.permute(0, 3, 1, 2).float()))
        return rows_of_pixels(blocks, self.net.block_px)[:, :height, :width]


class OpenBytesNet(nn.Module):
    """The same with its statistics as a second input and a second output."""

    def __init__(self, net: StyleNet) -> None:
        super().__init__()
        self.bytes_net = BytesNet(net)
        self.desk = StatisticsDesk(self.bytes_net)

    def forward(self, image: Tensor, fixed_statistics: Tensor) -> tuple[Tensor, Tensor]:
        """(N, H, W, 3) and (1, channels, 2) to the picture and the statistics it used."""
        self.desk.open(fixed_statistics)
        stylized = self.bytes_net(image)
        return stylized, self.desk.close()


def to_bytes(x: Tensor) -> Tensor:
    """Round half to even and clamp to 0..255, in one operator."""
    one, zero = torch.tensor(1.0), torch.tensor(0, dtype=torch.uint8)
    levels: Tensor = torch.onnx.ops.symbolic(
        "QuantizeLinear", (x, one, zero), dtype=torch.uint8, shape=x.shape
    )
    return levels


def rows_of_pixels(blocks: Tensor, side: int) -> Tensor:
    """(N, 3 * side**2, H, W), see ``StyleNet.blocks``, to (N, side * H, side * W, 3).

    Row by row of the blocks: onnxruntime moves whole channels and whole rows several times faster
    than ``DepthToSpace`` or a transposition of six axes moves single values.
    """
    batch, _, height, _ = blocks.shape
    rows = [
        row.permute(0, 2, 3, 1).reshape(batch, height, 1, -1) for row in blocks.chunk(side, dim=1)
    ]
    return torch.cat(rows, dim=2).reshape(batch, side * height, -1, 3)


def build_graph(
    net: StyleNet, *, opset: int = DEFAULT_OPSET, statistics: bool = False
) -> onnx.ModelProto:
    """Trace a network into an ONNX graph with dynamic batch, height and width.

    Args:
        net: in evaluation mode, on the CPU.
        opset: one of ``OPSETS``.
        statistics: add the optional input ``fixed_statistics`` and the output ``statistics``:
            float32, mean and variance of each normalised channel, (1, channels, 2) and
            (N, channels, 2). Without the input, and for a channel whose variance there is
            below 0, the picture's own count; the output gives those that were used.
    Returns:
        A graph that takes ``image`` and gives ``stylized``: uint8, (N, H, W, 3), RGB, H and W
        from ``net.min_size_px`` up.
    Raises:
        ValueError: if ``opset`` is not one of ``OPSETS``, or the network has no statistics.
    """
    if opset not in OPSETS:
        raise ValueError(f"opset must be one of {', '.join(map(str, OPSETS))}, not {opset}")
    # A batch of 2: the exporter takes a dimension of 1 for a constant.
    example = torch.zeros(2, 64, 96, 3, dtype=torch.uint8)
    if statistics:
        open_net = OpenBytesNet(net)
        own = torch.full((1, open_net.desk.channels, 2), OWN)
        inputs = {INPUT: example, STATISTICS_INPUT: own}
        graph = trace(open_net, inputs, [OUTPUT, STATISTICS_OUTPUT], opset)
        graph.graph.initializer.append(onnx.numpy_helper.from_array(own.numpy(), STATISTICS_INPUT))
    else:
        graph = trace(BytesNet(net), {INPUT: example}, [OUTPUT], opset)
    drop_traces(graph)
    return graph


def trace(
    net: nn.Module, examples: dict[str, Tensor], outputs: list[str], opset: int
) -> onnx.ModelProto:
    """A graph with the sizes of ``AXES`` left open."""
    program = torch.onnx.export(
        net.eval(),
        tuple(examples.values()),
        input_names=list(examples),
        output_names=outputs,
        opset_version=opset,
        dynamic_shapes=tuple(
            dict.fromkeys(AXES[name], torch.export.Dim.DYNAMIC) for name in examples
        ),
        dynamo=True,
        verbose=False,
    )
    assert program is not None, "torch.onnx.export gives a program with dynamo=True"
    graph = program.model_proto
    for port in (*graph.graph.input, *graph.graph.output):
        for axis, name in AXES[port.name].items():
            port.type.tensor_type.shape.dim[axis].dim_param = name
    return graph


def drop_traces(graph: onnx.ModelProto) -> None:
    """Remove the exporter's notes on where each node comes from: paths of this machine."""
    for part in (graph.graph, *graph.graph.node, *graph.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
