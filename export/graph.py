"""From a trained network to an ONNX graph that asks nothing of the app around it."""

import onnx
import torch
from torch import Tensor, nn

from nst.models import StyleNet

INPUT = "image"
OUTPUT = "stylized"
OPSETS = range(18, 22)
DEFAULT_OPSET = 18


class AppNet(nn.Module):
    """The network as apps want it: bytes in, bytes out, channels last.

    Scaling, clamping and rounding are part of the graph, so that no app can get them wrong.
    """

    def __init__(self, net: StyleNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        """(N, H, W, 3), uint8, RGB, to the same shape and type."""
        images = image.permute(0, 3, 1, 2).float() / 255.0
        stylized: Tensor = (self.net(images).clamp(0.0, 1.0) * 255.0).round()
        return stylized.to(torch.uint8).permute(0, 2, 3, 1)


def build_graph(net: StyleNet, *, opset: int = DEFAULT_OPSET) -> onnx.ModelProto:
    """Trace a network into an ONNX graph with dynamic batch, height and width.

    Args:
        net: in evaluation mode, on the CPU.
        opset: one of ``OPSETS``.
    Returns:
        A graph that takes ``image`` and gives ``stylized``: uint8, (N, H, W, 3), RGB, H and W
        from ``net.min_size_px`` up.
    Raises:
        ValueError: if ``opset`` is not one of ``OPSETS``.
    """
    if opset not in OPSETS:
        raise ValueError(f"opset must be one of {', '.join(map(str, OPSETS))}, not {opset}")
    # A batch of 2: the exporter takes a dimension of 1 for a constant.
    example = torch.zeros(2, 64, 96, 3, dtype=torch.uint8)
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        AppNet(net).eval(),
        (example,),
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=opset,
        dynamic_shapes=({0: dynamic, 1: dynamic, 2: dynamic},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None, "torch.onnx.export gives a program with dynamo=True"
    graph = program.model_proto
    name_axes(graph)
    drop_traces(graph)
    return graph


def drop_traces(graph: onnx.ModelProto) -> None:
    """Remove the exporter's notes on where each node comes from: paths of this machine."""
    for part in (graph.graph, *graph.graph.node, *graph.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""


def name_axes(graph: onnx.ModelProto) -> None:
    """Name the dynamic axes of input and output as a reader of the file expects them."""
    for value in (*graph.graph.input, *graph.graph.output):
        dims = value.type.tensor_type.shape.dim
        for dim, name in zip(dims, ("batch", "height", "width"), strict=False):
            dim.dim_param = name
