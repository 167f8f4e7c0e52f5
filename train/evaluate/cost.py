"""What a model costs: time per frame, size of the file, parameters, multiply-accumulates."""

import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from nst.infer.devices import available_devices
from nst.infer.errors import UserError
from nst.infer.stylizer import Stylizer

FRAME_SIZE = (1280, 720)
TIMED_RUNS = 7
COUNTED_SIDE_PX = 256
WEIGHT_TYPES = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.UINT8)


class GraphCost(NamedTuple):
    """What the file says: bytes, parameters, multiply-accumulates of convolutions per pixel."""

    file_bytes: int
    parameters: int
    macs_per_pixel: float


def frame_ms(
    stylizer: Stylizer, size: tuple[int, int] = FRAME_SIZE, runs: int = TIMED_RUNS
) -> float:
    """Median milliseconds for one frame, bytes to bytes, after two runs to warm up."""
    width, height = size
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    times = []
    for _ in range(runs + 2):
        start = time.perf_counter()
        stylizer(frame)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[2:])


def frame_ms_by_device(model: Path, *, value_range: tuple[float, float] | None) -> dict[str, float]:
    """``frame_ms`` on every device that runs the model."""
    taken = {}
    for device in available_devices():
        try:
            taken[device] = frame_ms(Stylizer(model, value_range=value_range, device=device))
        except UserError:
            if device == "cpu":
                raise
    return taken


def graph_cost(model: Path) -> GraphCost:
    """Count what is in an ONNX file.

    The sizes of the convolutions' outputs are those of a run at 256x256: graphs with open sizes
    do not tell them.
    """
    graph = onnx.load(model)
    weights = weight_shapes(graph)
    macs = sum(macs_of(node, weights, shapes) for node, shapes in run_convolutions(graph))
    parameters = sum(int(np.prod(shape)) for shape in weights.values())
    return GraphCost(model.stat().st_size, parameters, macs / COUNTED_SIDE_PX**2)


def weight_shapes(model: ModelProto) -> dict[str, tuple[int, ...]]:
    """Name to shape of everything trained: initializers and constants, but no sizes and axes."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    return {
        name: tuple(tensor.dims)
        for name, tensor in tensors.items()
        if tensor.dims and tensor.data_type in WEIGHT_TYPES
    }


def run_convolutions(
    model: ModelProto,
) -> list[tuple[NodeProto, tuple[tuple[int, ...], tuple[int, ...]]]]:
    """Every convolution, with the shapes of its input and its output at 256x256."""
    convolutions = [n for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")]
    inner = {name for node in convolutions for name in (node.input[0], node.output[0])}
    given = model.graph.input[0]
    exposed = ModelProto()
    exposed.CopyFrom(model)
    known = {port.name for port in exposed.graph.output} | {given.name}
    exposed.graph.output.extend(
        onnx.helper.make_empty_tensor_value_info(name) for name in sorted(inner - known)
    )
    session = onnxruntime.InferenceSession(
        exposed.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    frame = example_input(session.get_inputs()[0])
    names = [port.name for port in session.get_outputs()]
    values = session.run(names, {given.name: frame})
    shapes = {name: value.shape for name, value in zip(names, values, strict=True)}
    shapes[given.name] = frame.shape
    return [(node, (shapes[node.input[0]], shapes[node.output[0]])) for node in convolutions]


def example_input(port: Any) -> NDArray[Any]:
    """A grey picture of 256x256, or of the size that the graph fixes."""
    side = COUNTED_SIDE_PX
    default = (1, side, side, 3) if port.type == "tensor(uint8)" else (1, 3, side, side)
    shape = [
        size if isinstance(size, int) else fallback
        for size, fallback in zip(port.shape, default, strict=True)
    ]
    return np.full(shape, 127, np.uint8 if port.type == "tensor(uint8)" else np.float32)


def macs_of(
    node: NodeProto,
    weights: dict[str, tuple[int, ...]],
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
) -> int:
    """Multiply-accumulates of one convolution: each weight once per place it is laid on."""
    given, made = shapes
    places = int(np.prod(made[2:] if node.op_type == "Conv" else given[2:])) * made[0]
    return int(np.prod(weights[node.input[1]])) * places
