"""Weights of convolutions kept in fewer bits, in a graph that computes in float32."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nst.infer.engine.metadata import Weights

LARGEST_INT8 = 127


def store_weights(graph: onnx.ModelProto, weights: Weights) -> onnx.ModelProto:
    """The same graph with the weights of its convolutions stored in fewer bits.

    ``Cast``, and for int8 ``Mul`` with a scale for each output channel, turn them into float32. A
    runtime does that once, when it opens the file: they depend on no input.
    ``DequantizeLinear`` would say the same, but onnxruntime leaves it for every run.

    Args:
        graph: in float32; it is not changed.
        weights: ``fp16``, or ``int8`` from -127 to 127.
    """
    stored = onnx.ModelProto()
    stored.CopyFrom(graph)
    store = in_half if weights == "fp16" else in_bytes
    names = {node.input[1] for node in graph.graph.node if node.op_type == "Conv"}
    constants: list[TensorProto] = []
    nodes: list[NodeProto] = []
    for tensor in graph.graph.initializer:
        if tensor.name not in names or tensor.data_type != TensorProto.FLOAT:
            constants.append(tensor)
            continue
        kept, restoring = store(numpy_helper.to_array(tensor), tensor.name)
        constants += kept
        nodes += restoring
    del stored.graph.initializer[:], stored.graph.node[:]
    stored.graph.initializer.extend(constants)
    stored.graph.node.extend([*nodes, *graph.graph.node])
    return stored


def in_half(values: NDArray[Any], name: str) -> tuple[list[TensorProto], list[NodeProto]]:
    """Constants in float16, and the nodes that make ``name`` of them."""
    half = numpy_helper.from_array(values.astype(np.float16), f"{name}.fp16")
    return [half], [helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)]


def in_bytes(values: NDArray[Any], name: str) -> tuple[list[TensorProto], list[NodeProto]]:
    """Constants in int8 and their scales, and the nodes that make ``name`` of them."""
    largest = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
    scale = np.where(largest > 0, largest / LARGEST_INT8, 1).astype(np.float32)
    small = numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}.int8")
    scales = numpy_helper.from_array(scale, f"{name}.scale")
    cast = helper.make_node("Cast", [small.name], [f"{name}.whole"], to=TensorProto.FLOAT)
    return [small, scales], [cast, helper.make_node("Mul", [cast.output[0], scales.name], [name])]
