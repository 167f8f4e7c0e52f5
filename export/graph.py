"""From a trained network to an ONNX graph that asks nothing of the app around it."""

import onnx
import torch
from torch import Tensor

from nst.export.app_net import AppNet, BytesNet, FloatNet
from nst.export.form import DEFAULT_FORM, GraphForm
from nst.infer.engine.metadata import (
    OWN_STATISTICS,
    STATISTICS_INPUT,
    STATISTICS_OUTPUT,
    STRENGTH_INPUT,
)
from nst.models import StyleNet

INPUT = "image"
OUTPUT = "stylized"
TRACED_PX = (64, 96)
"""Height and width that a graph of any size is traced with."""


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


def example(form: GraphForm) -> Tensor:
    """A picture to trace with. A batch of 2: the exporter takes 1 for a constant."""
    batch, (height, width) = (2, TRACED_PX) if form.size is None else (1, form.size)
    if form.io == "uint8":
        return torch.zeros(batch, height, width, 3, dtype=torch.uint8)
    return torch.zeros(batch, 3, height, width)


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
        (example(form),),
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
