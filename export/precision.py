"""Graphs in half precision and in int8."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

from nst.infer.engine.graph import SILENT
from nst.infer.engine.metadata import Precision

PRECISIONS: tuple[Precision, ...] = get_args(Precision)

FLOAT32_OPERATORS = ["InstanceNormalization", "QuantizeLinear", "ReduceMean", "Pow"]
"""Sums over a picture are too long for half precision; opset 18 quantizes float32 alone."""


DEFAULT_SEVERITY = 2
"""At which onnxruntime warns."""


def to_half(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with weights and arithmetic in float16, norms, inputs and outputs not."""
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    half: onnx.ModelProto = convert_float_to_float16(
        copy, keep_io_types=True, op_block_list=FLOAT32_OPERATORS
    )
    drop_repeated(half)
    return half


def drop_repeated(graph: onnx.ModelProto) -> None:
    """Leave one of the conversions that the converter makes for each reader of a value."""
    seen: set[str] = set()
    kept = []
    for node in graph.graph.node:
        if node.output[0] not in seen:
            seen.add(node.output[0])
            kept.append(node)
    del graph.graph.node[:]
    graph.graph.node.extend(kept)


def to_int8(
    graph: onnx.ModelProto,
    inputs: Iterable[dict[str, NDArray[Any]]],
    *,
    ends_in_float: bool,
) -> onnx.ModelProto:
    """The same graph with convolutions in int8 between quantized and dequantized pictures.

    Activations are uint8, weights int8 with a scale per channel: what processors with VNNI
    multiply fastest.

    Args:
        graph: in float32.
        inputs: what the graph is run with to find the ranges of its activations.
        ends_in_float: leave the first and the last convolution as they are.
    """
    convolutions = [node.name for node in graph.graph.node if node.op_type == "Conv"]
    with TemporaryDirectory() as folder, quiet():
        source, target = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(graph, source)
        quantize_static(
            source,
            target,
            Inputs(iter(inputs)),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[convolutions[0], convolutions[-1]] if ends_in_float else [],
        )
        return onnx.load(target)


class Inputs(CalibrationDataReader):  # type: ignore[misc]
    """Hands one input after another to the calibration."""

    def __init__(self, inputs: Iterator[dict[str, NDArray[Any]]]) -> None:
        self.inputs = inputs

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next, None after the last."""
        return next(self.inputs, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep two kinds of advice off the terminal: on preprocessing, and on optional inputs."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    onnxruntime.set_default_logger_severity(SILENT)
    try:
        yield
    finally:
        logger.setLevel(before)
        onnxruntime.set_default_logger_severity(DEFAULT_SEVERITY)
