"""Taking a graph apart at its instance norms, and putting constants in their place.

An instance norm takes mean and variance of each channel over the whole picture. With the numbers
known it is a scale and a shift, and the graph sees each pixel's surroundings alone. So a picture
can be stylized in tiles once the statistics of all norms have been found, one norm after the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from nst.infer.engine.metadata import KNOBS, OWN_STATISTICS, STRENGTH_INPUT
from nst.infer.errors import UserError, os_error_reason

NORM = "InstanceNormalization"
LOCAL = frozenset(
    (
        *("Add", "Cast", "Clip", "Concat", "Conv", "DequantizeLinear", "Div", "Identity", "Mul"),
        *("Pad", "QuantizeLinear", "Relu", "Reshape", "Resize", "Round", "Shape", "Slice"),
        *("Split", "Squeeze", "Sub", "Transpose", "Unsqueeze"),
    )
)
"""Operators of our graphs whose result at a place depends on what is around it."""


class ChannelStatistics(NamedTuple):
    """Mean and variance of each channel, float32, (C,) each."""

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]


class StagedGraph:
    """A graph between whose instance norms one can look.

    Args:
        model: with its weights inside. It is not changed.
    Attributes:
        norms: its instance norms, in an order in which each depends on earlier ones alone.
        is_local: whether everything but the norms looks at a pixel's surroundings alone.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        graph = model.graph
        self._constants = {each.name: each for each in graph.initializer}
        self._inputs = [each.name for each in graph.input if each.name not in self._constants]
        self._nodes = list(_sorted(graph.node))
        self.norms = [node for node in self._nodes if node.op_type == NORM]
        self.is_local = all(node.op_type in LOCAL | {NORM} for node in self._nodes)
        self._stages = self._stage_of_each_tensor()

    def folded(self, statistics: Sequence[ChannelStatistics]) -> bytes:
        """The whole graph with constants in place of its norms.

        Args:
            statistics: of each of ``norms``.
        Returns:
            The serialised model.
        """
        folded = onnx.ModelProto()
        folded.CopyFrom(self.model)
        fixed = dict(zip((node.output[0] for node in self.norms), statistics, strict=True))
        nodes, constants = _with_fixed(self._nodes, fixed)
        del folded.graph.node[:]
        folded.graph.node.extend(nodes)
        folded.graph.initializer.extend(constants)
        return bytes(folded.SerializeToString())

    def stage(
        self, number: int, given: Mapping[str, NDArray[Any]], before: ChannelStatistics | None
    ) -> tuple[bytes, list[str]]:
        """The part of the graph between two norms.

        Args:
            number: of the norm that it ends before.
            given: what the stage before gave, by name; the inputs of the graph for the first.
            before: statistics of the norm that it begins with; None for the first.
        Returns:
            The serialised model, and the names of its outputs: the input of the norm, and what
            later stages need besides. What of that is in ``given`` is left out.
        """
        wanted = self.needed_after(number)
        new = [name for name in wanted if name not in given]
        nodes = self._ancestors(new, set(given))
        fixed = {} if before is None else {self.norms[number - 1].output[0]: before}
        nodes, constants = _with_fixed(nodes, fixed)
        used = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            "stage",
            [_value(name, array) for name, array in given.items() if name in used],
            [helper.make_empty_tensor_value_info(name) for name in new],
            [*constants, *(each for name, each in self._constants.items() if name in used)],
        )
        stage = helper.make_model(
            graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version
        )
        return stage.SerializeToString(), new

    def needed_after(self, number: int) -> list[str]:
        """The input of a norm, and all that is known by then and that later norms need."""
        ahead = self._ancestors([node.input[0] for node in self.norms], set(self._inputs))
        needed = {
            name: None
            for node in ahead
            for name in node.input
            if self._stages.get(name, number + 1) <= number < self._stages[node.output[0]]
        }
        needed[self.norms[number].input[0]] = None
        return list(needed)

    def _stage_of_each_tensor(self) -> dict[str, int]:
        """How many norms have to be known for a tensor, for all that depend on the picture."""
        stages = dict.fromkeys(self._inputs, 0)
        order = {node.output[0]: number for number, node in enumerate(self.norms)}
        for node in self._nodes:
            known = [stages[name] for name in node.input if name in stages]
            if known:
                stage = max(known)
                if node.op_type == NORM:
                    stage = max(stage, order[node.output[0]] + 1)
                stages |= dict.fromkeys(node.output, stage)
        return stages

    def _ancestors(self, names: Iterable[str], known: Set[str]) -> list[NodeProto]:
        """The nodes that make some tensors from those that are known, in order."""
        needed = set(names) - known
        nodes = []
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                nodes.append(node)
                needed.update(name for name in node.input if name not in known)
        return nodes[::-1]


def reach_px(model: onnx.ModelProto) -> int:
    """How far a pixel of the picture can change the result, with fixed statistics, in pixels.

    An upper bound: the reach of all convolutions together, and none of them counted at a finer
    resolution than those before it.
    """
    shapes = {each.name: list(each.dims) for each in model.graph.initializer}
    made_by = {name: node for node in model.graph.node for name in node.output}
    cell, reach = 1, 0
    for node in _sorted(model.graph.node):
        if node.op_type != "Conv":
            continue
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        kernel = max(attributes.get("kernel_shape") or _weight_shape(node, shapes, made_by)[2:])
        reach += kernel // 2 * max(attributes.get("dilations") or [1]) * cell
        cell *= max(attributes.get("strides") or [1])
    return reach


def bake_knobs(model: onnx.ModelProto, strength: float) -> onnx.ModelProto:
    """A model with constants in place of the knobs that it has: a strength, its own statistics."""
    baked = onnx.ModelProto()
    baked.CopyFrom(model)
    graph = baked.graph
    values = {
        port.name: np.full(
            [side.dim_value for side in port.type.tensor_type.shape.dim],
            strength if port.name == STRENGTH_INPUT else OWN_STATISTICS,
            np.float32,
        )
        for port in graph.input
        if port.name in KNOBS
    }
    for field in (graph.input, graph.initializer):
        kept = [each for each in field if each.name not in values]
        del field[:]
        field.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())
    return baked


def _weight_shape(
    node: NodeProto, shapes: Mapping[str, list[int]], made_by: Mapping[str, NodeProto]
) -> list[int]:
    """Shape of the weights of a convolution, which may be stored in another type."""
    name = node.input[1]
    while name not in shapes:
        name = made_by[name].input[0]
    return shapes[name]


def _with_fixed(
    nodes: Iterable[NodeProto], fixed: Mapping[str, ChannelStatistics]
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes with some norms replaced, by the name of their output, and what they need besides."""
    result: list[NodeProto] = []
    constants: list[TensorProto] = []
    for node in nodes:
        statistics = fixed.get(node.output[0])
        if statistics is None:
            result.append(node)
            continue
        replacement, needed = _fixed_norm(node, statistics)
        result += replacement
        constants += needed
    return result, constants


def _fixed_norm(
    node: NodeProto, statistics: ChannelStatistics
) -> tuple[list[NodeProto], list[TensorProto]]:
    """``x * scale + shift`` in place of an instance norm; both are constants once folded."""
    x, weight, bias = node.input
    out = node.output[0]
    epsilon = next((each.f for each in node.attribute if each.name == "epsilon"), 1e-5)
    constants = {
        "inverse": 1 / np.sqrt(statistics.variance + np.float32(epsilon)),
        "minus_mean": -statistics.mean,
        "axes": np.array([1, 2]),
    }
    inverse, minus_mean, axes = (f"{out}/{name}" for name in constants)
    steps = [
        ("Mul", [weight, inverse], "scale_c"),
        ("Mul", ["scale_c", minus_mean], "moved_c"),
        ("Add", ["moved_c", bias], "shift_c"),
        ("Unsqueeze", ["scale_c", axes], "scale"),
        ("Unsqueeze", ["shift_c", axes], "shift"),
        ("Mul", [x, "scale"], "scaled"),
        ("Add", ["scaled", "shift"], ""),
    ]
    own = {name for _, _, name in steps if name}
    nodes = [
        helper.make_node(
            kind,
            [f"{out}/{name}" if name in own else name for name in inputs],
            [f"{out}/{name}" if name else out],
        )
        for kind, inputs, name in steps
    ]
    tensors = [
        numpy_helper.from_array(np.asarray(value), f"{out}/{name}")
        for name, value in constants.items()
    ]
    return nodes, tensors


def _value(name: str, array: NDArray[Any]) -> onnx.ValueInfoProto:
    """An input of the type and the channels of an array, and of any size."""
    sides: list[int | None] = [None] * array.ndim
    if array.ndim == 4 and array.dtype != np.uint8:
        sides[1] = array.shape[1]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), sides)


def _sorted(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Nodes so that each comes after those that it needs, otherwise in their order."""
    waiting = list(nodes)
    made_by = {name: node for node in waiting for name in node.output if name}
    done: set[int] = set()
    for first in waiting:
        stack = [first]
        while stack:
            node = stack[-1]
            missing = [
                made_by[name]
                for name in node.input
                if name in made_by and id(made_by[name]) not in done
            ]
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(node) not in done:
                done.add(id(node))
                yield node


def load_whole(path: Path) -> onnx.ModelProto | None:
    """A model with its weights; None if they are kept in other files, or it is none.

    Raises:
        UserError: if the file cannot be read.
    """
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except OSError as error:
        raise UserError(f"cannot read {path}: {os_error_reason(error)}") from error
    except DecodeError:
        return None
    outside = any(each.data_location == TensorProto.EXTERNAL for each in model.graph.initializer)
    return None if outside else model
