"""What a model costs: time per frame, size of the file, parameters, multiply-accumulates."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto
from onnx.external_data_helper import load_external_data_for_model
from onnx.inliner import inline_local_functions

from nst.infer.engine.devices import available_devices
from nst.infer.engine.graph import SILENT, run_errors
from nst.infer.engine.metadata import STATISTICS_INPUT, ValueRange
from nst.infer.errors import UserError
from nst.infer.frame_time import frame_time
from nst.infer.stylizer import Stylizer

FRAME_SIZE = (1280, 720)
COUNTED_SIDE_PX = 512
WEIGHT_TYPES = (
    *(TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16),
    *(TensorProto.INT8, TensorProto.UINT8, TensorProto.INT32),
)
NOT_WEIGHTS = {
    "Resize": (1, 2),
    "Upsample": (1,),
    "Pad": (1, 2),
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "ConvInteger": (2, 3),
}
"""Operators, and which of their inputs are sizes, scales and zero points."""
WEIGHT_INPUT = {
    "Conv": 1,
    "ConvTranspose": 1,
    "ConvInteger": 1,
    "QLinearConv": 3,
    "MatMul": 1,
    "Gemm": 1,
}
"""Operators that are counted, and which of their inputs is the weight."""

Shapes = Mapping[str, tuple[int, ...]]


class GraphCost(NamedTuple):
    """What the file says: bytes, parameters, multiply-accumulates per pixel."""

    file_bytes: int
    parameters: int
    macs_per_pixel: float


def frame_ms_by_device(
    model: Path,
    *,
    value_range: ValueRange | None,
    threads: int | None,
    on_failure: Callable[[str], None] = lambda _: None,
) -> dict[str, float]:
    """Median milliseconds for one frame of 1280x720, on every device that runs the model.

    Args:
        model: an ONNX file.
        value_range: of a float model that does not tell it.
        threads: threads per operator; None leaves it to onnxruntime.
        on_failure: called with one line for each device that does not run it.
    """
    taken = {}
    for device in available_devices():
        try:
            stylizer = Stylizer(model, value_range=value_range, threads=threads, device=device)
            taken[device] = frame_time(stylizer, FRAME_SIZE).ms
        except UserError as error:
            if device == "cpu":
                raise
            on_failure(f"not timed on {device}: {error}")
    return taken


def graph_cost(model: Path) -> GraphCost:
    """Count what is in an ONNX file: its convolutions and matrix products.

    Their sizes are those of a run: graphs with open sizes do not tell them.

    Raises:
        UserError: if it does not run at 512 px.
    """
    proto = onnx.load(model, load_external_data=False)
    size = file_bytes(proto, model)
    load_external_data_for_model(proto, str(model.parent))
    proto = inline_local_functions(proto)
    counted = [node for node in proto.graph.node if node.op_type in WEIGHT_INPUT]
    pixels, shapes = run_shapes(proto, counted, model)
    macs = sum(macs_of(node, shapes) for node in counted)
    return GraphCost(size, count_parameters(proto), macs / pixels)


def file_bytes(proto: ModelProto, model: Path) -> int:
    """Of an ONNX file, read without the files of weights beside it, and of these."""
    entries = {
        entry.value
        for tensor in proto.graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return sum(path.stat().st_size for path in (model, *(model.parent / e for e in entries)))


def count_parameters(model: ModelProto) -> int:
    """Numbers in all weights: initializers and constants, without sizes, axes, scales, defaults."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    scales = {STATISTICS_INPUT}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
        for index in NOT_WEIGHTS.get(node.op_type, ()):
            scales.update(node.input[index : index + 1])
    stored = {node.output[0] for node in model.graph.node if is_restored(node, tensors)}
    for node in model.graph.node:
        if node.op_type == "Mul" and stored & set(node.input):
            scales.update(node.input)
    return sum(
        int(np.prod(tensor.dims))
        for name, tensor in tensors.items()
        if tensor.dims and tensor.data_type in WEIGHT_TYPES and name not in scales
    )


def is_restored(node: NodeProto, tensors: Mapping[str, TensorProto]) -> bool:
    """Whether a node turns a weight in int8 into floats, which a scale follows."""
    tensor = tensors.get(node.input[0]) if node.op_type == "Cast" else None
    return tensor is not None and tensor.data_type == TensorProto.INT8


def run_shapes(model: ModelProto, nodes: list[NodeProto], path: Path) -> tuple[int, Shapes]:
    """Run a picture through a copy of the graph that gives everything these nodes touch.

    Returns:
        Pixels of the picture, and name to shape.
    Raises:
        UserError: naming ``path``, if it does not run.
    """
    touched = {n for node in nodes for n in (node.input[0], node.output[0], weight_name(node))}
    initializers = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    exposed = ModelProto()
    exposed.CopyFrom(model)
    given = {port.name for port in (*exposed.graph.input, *exposed.graph.output)}
    exposed.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name)
        for name in sorted(touched - given - initializers.keys())
    )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    with run_errors(path):
        session = onnxruntime.InferenceSession(
            exposed.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        port = session.get_inputs()[0]
        frame = example_input(port)
        names = [output.name for output in session.get_outputs()]
        values = session.run(names, {port.name: frame})
    shapes = initializers | {n: value.shape for n, value in zip(names, values, strict=True)}
    shapes[port.name] = frame.shape
    return frame.size // 3, shapes


def example_input(port: Any) -> NDArray[Any]:
    """A grey picture of 512x512, or of the size that the graph fixes."""
    side = COUNTED_SIDE_PX
    default = (1, side, side, 3) if port.type == "tensor(uint8)" else (1, 3, side, side)
    shape = [
        size if isinstance(size, int) else fallback
        for size, fallback in zip(port.shape, default, strict=True)
    ]
    return np.full(shape, 127, np.uint8 if port.type == "tensor(uint8)" else np.float32)


def weight_name(node: NodeProto) -> str:
    """The input that is the weight."""
    return str(node.input[WEIGHT_INPUT[node.op_type]])


def macs_of(node: NodeProto, shapes: Shapes) -> int:
    """Multiply-accumulates of one node: each weight once per place that it is laid on."""
    weight, made = shapes[weight_name(node)], shapes[node.output[0]]
    if node.op_type in ("MatMul", "Gemm"):
        inner = shapes[node.input[0]]
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        return int(np.prod(made)) * inner[-2 if transposed else -1]
    places = shapes[node.input[0]] if node.op_type == "ConvTranspose" else made
    return int(np.prod(weight)) * int(np.prod(places[2:])) * made[0]
