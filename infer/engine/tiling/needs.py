"""How much memory a network needs for a picture."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import onnx
from onnx import TensorProto, ValueInfoProto, helper, shape_inference

PROBE_PX = 1024
RUNTIME_FACTOR = 2.5
"""What onnxruntime takes on a CPU beside what the tensors of a graph need: 2.0 to 2.5 times as much
was seen with four networks, with its arena and without."""


def run_bytes_per_px(nodes: Iterable[onnx.NodeProto], sizes: Mapping[str, int]) -> float:
    """Memory that a run takes per pixel, without the picture that goes in and comes out.

    Args:
        nodes: of the graph, in order.
        sizes: from ``tensor_bytes``.
    Returns:
        Bytes; 0 where no sizes could be told.
    """
    return RUNTIME_FACTOR * _peak(nodes, sizes) / PROBE_PX**2


def tensor_bytes(model: onnx.ModelProto) -> dict[str, int]:
    """Size of each tensor for a picture of ``PROBE_PX`` squared, as far as it can be told.

    Args:
        model: one picture in, uint8 (N, H, W, 3) or float32 (N, 3, H, W), of any size.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.value_info[:]  # may contradict what is inferred
    constants = {each.name for each in probe.graph.initializer}
    for port in probe.graph.input:
        if port.name not in constants:
            _set_sides(port)
    try:
        probe = shape_inference.infer_shapes(probe, data_prop=True)
    except shape_inference.InferenceError:
        return {}
    graph = probe.graph
    return {each.name: _bytes(each) for each in (*graph.value_info, *graph.output) if each.name}


def _set_sides(port: ValueInfoProto) -> None:
    """Give the input for a picture its size; another one is left as it is."""
    sides = port.type.tensor_type.shape.dim
    channels_last = port.type.tensor_type.elem_type == TensorProto.UINT8
    shape = (1, PROBE_PX, PROBE_PX, 3) if channels_last else (1, 3, PROBE_PX, PROBE_PX)
    if len(sides) == len(shape):
        for side, length in zip(sides, shape, strict=True):
            side.dim_value = length


def _bytes(value: ValueInfoProto) -> int:
    kind = value.type.tensor_type
    if not kind.elem_type:  # a sequence or another kind of value
        return 0
    item = int(helper.tensor_dtype_to_np_dtype(kind.elem_type).itemsize)
    return item * math.prod(int(side.dim_value) for side in kind.shape.dim)


def _peak(nodes: Iterable[onnx.NodeProto], sizes: Mapping[str, int]) -> int:
    """The most that lives at a time when nodes run in order."""
    nodes = list(nodes)
    uses = Counter(name for node in nodes for name in set(node.input))
    alive = peak = 0
    for node in nodes:
        alive += sum(sizes.get(name, 0) for name in node.output)
        peak = max(peak, alive)
        for name in set(node.input):
            uses[name] -= 1
            if not uses[name]:
                alive -= sizes.get(name, 0)
    return peak
