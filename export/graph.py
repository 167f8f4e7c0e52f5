"""From a trained network to an ONNX graph that asks nothing of the app around it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import onnx
import torch
from torch import Tensor

from nst.export.app_net import AppNet, BytesNet, FloatNet
from nst.infer.metadata import (
    OWN_STATISTICS,
    STATISTICS_INPUT,
    STATISTICS_OUTPUT,
    STRENGTH_INPUT,
)
from nst.models import StyleNet

INPUT = "image"
OUTPUT = "stylized"
OPSETS = range(18, 22)
DEFAULT_OPSET = 18
TRACED_PX = (64, 96)
"""Height and width that a graph of any size is traced with."""

IO: TypeAlias = Literal["uint8", "float"]


@dataclass(frozen=True)
class GraphForm:
    """What a graph takes and gives.

    Args:
        io: ``uint8``, (N, H, W, 3), or ``float``, (N, 3, H, W), float32 in [0, 1]; both RGB.
        size: the only height and width, for one picture at a time; None for any.
        strength: add the optional input ``strength``, float32, (1,), 0 to 1.
        statistics: add the optional input ``fixed_statistics`` and the output ``statistics``:
            float32, mean and variance of each normalised channel, (1, channels, 2) and
            (N, channels, 2). Without the input, and for a channel whose variance there is
            below 0, the picture's own count; the output gives those that were used.
        defaults: what makes those inputs optional. Some runtimes do not take inputs with defaults.
        opset: one of ``OPSETS``.
    Raises:
        ValueError: if ``opset`` or ``size`` is out of range.
    """

    io: IO = "uint8"
    size: tuple[int, int] | None = None
    strength: bool = False
    statistics: bool = False
    defaults: bool = True
    opset: int = DEFAULT_OPSET

    def __post_init__(self) -> None:
        if self.opset not in OPSETS:
            known = ", ".join(map(str, OPSETS))
            raise ValueError(f"opset must be one of {known}, not {self.opset}")
        if self.size is not None and min(self.size) < StyleNet.min_size_px:
            raise ValueError(f"a side must be at least {StyleNet.min_size_px} px, not {self.size}")

    @property
    def axes(self) -> dict[int, str]:
        """Names of the axes of a picture that are of any size."""
        if self.size is not None:
            return {}
        height = 1 if self.io == "uint8" else 2
        return {0: "batch", height: "height", height + 1: "width"}

    def example(self) -> Tensor:
        """A picture to trace with. A batch of 2: the exporter takes 1 for a constant."""
        batch, (height, width) = (2, TRACED_PX) if self.size is None else (1, self.size)
        if self.io == "uint8":
            return torch.zeros(batch, height, width, 3, dtype=torch.uint8)
        return torch.zeros(batch, 3, height, width)


DEFAULT_FORM = GraphForm()


def build_graph(net: StyleNet, form: GraphForm = DEFAULT_FORM) -> onnx.ModelProto:
    """Trace a network into an ONNX graph that takes ``image`` and gives ``stylized``.

    Args:
        net: in evaluation mode, on the CPU.
        form: what it takes besides, and how.
    Returns:
        A graph for pictures from ``net.min_size_px`` up, or of one size.
    Raises:
        ValueError: if statistics are wanted of a network that has none.
    """
    app_net = (BytesNet if form.io == "uint8" else FloatNet)(net, statistics=form.statistics)
    knobs = default_knobs(app_net, form)
    graph = trace(app_net, knobs, form)
    if form.defaults:
        for name, value in knobs.items():
            graph.graph.initializer.append(onnx.numpy_helper.from_array(value.numpy(), name))
    drop_traces(graph)
    return graph


def default_knobs(net: AppNet, form: GraphForm) -> dict[str, Tensor]:
    """The optional inputs of a graph, as they are if nobody feeds them."""
    knobs = {}
    if form.strength:
        knobs[STRENGTH_INPUT] = torch.ones(1)
    if net.desk is not None:
        knobs[STATISTICS_INPUT] = torch.full((1, net.desk.channels, 2), OWN_STATISTICS)
    return knobs


def trace(net: AppNet, knobs: dict[str, Tensor], form: GraphForm) -> onnx.ModelProto:
    """A graph with the sizes open that the form leaves open."""
    outputs = [OUTPUT] + [STATISTICS_OUTPUT] * form.statistics
    program = torch.onnx.export(
        net.eval(),
        (form.example(),),
        kwargs={"knobs": knobs},
        input_names=[INPUT, *knobs],
        output_names=outputs,
        opset_version=form.opset,
        dynamic_shapes={
            "image": dict.fromkeys(form.axes, torch.export.Dim.DYNAMIC),
            "knobs": {name: {} for name in knobs},
        },
        dynamo=True,
        verbose=False,
    )
    assert program is not None, "torch.onnx.export gives a program with dynamo=True"
    graph = program.model_proto
    for port in (*graph.graph.input, *graph.graph.output):
        axes = form.axes if port.name in (INPUT, OUTPUT) else {}
        if port.name == STATISTICS_OUTPUT and form.size is None:
            axes = {0: "batch"}
        for axis, name in axes.items():
            port.type.tensor_type.shape.dim[axis].dim_param = name
    return graph


def drop_traces(graph: onnx.ModelProto) -> None:
    """Remove the exporter's notes on where each node comes from: paths of this machine."""
    for part in (graph.graph, *graph.graph.node, *graph.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
