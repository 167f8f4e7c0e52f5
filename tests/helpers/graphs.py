"""ONNX graphs for tests."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nst.infer import ModelMetadata

PICTURE = ("n", "h", "w", 3)


def copy_with_props(model: Path, target: Path, **props: str) -> Path:
    """A copy of a model with other metadata."""
    graph = onnx.load(model)
    before = {entry.key: entry.value for entry in graph.metadata_props}
    changed = {f"nst.{key}": value for key, value in props.items()}
    helper.set_model_props(graph, before | changed)
    onnx.save(graph, target)
    return target


def save_negative(path: Path, *, strength: bool = False, nst: bool = True) -> Path:
    """A style that turns a picture into its negative: 255 - x.

    Args:
        path: of the file.
        strength: with an optional input that says how much: x + strength * (255 - 2 x).
        nst: with metadata.
    """
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "minus_two"], ["scaled"]),
        helper.make_node("Add", ["scaled", "white"], ["change"]),
        helper.make_node("Mul", ["change", "strength"], ["share"]),
        helper.make_node("Add", ["x", "share"], ["y"]),
        helper.make_node("QuantizeLinear", ["y", "one", "zero"], ["stylized"]),
    ]
    numbers = {"minus_two": -2.0, "white": 255.0, "one": 1.0}
    constants = [
        numpy_helper.from_array(np.array(value, np.float32), key) for key, value in numbers.items()
    ]
    constants.append(numpy_helper.from_array(np.array(0, np.uint8), "zero"))
    constants.append(numpy_helper.from_array(np.ones(1, np.float32), "strength"))
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, PICTURE)]
    if strength:
        inputs.append(helper.make_tensor_value_info("strength", TensorProto.FLOAT, [1]))
    output = helper.make_tensor_value_info("stylized", TensorProto.UINT8, PICTURE)
    graph = helper.make_graph(nodes, "negative", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    if nst:
        helper.set_model_props(model, some_metadata().to_props())
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return path


def save_float_style(path: Path) -> Path:
    """A style that takes floats, (N, 3, H, W)."""
    shape = ("n", 3, "h", "w")
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name in ("image", "stylized")
    ]
    node = helper.make_node("Identity", ["image"], ["stylized"])
    graph = helper.make_graph([node], "identity", ports[:1], ports[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    props = some_metadata().to_props() | {"nst.layout": "NCHW", "nst.value_range": "0-1"}
    helper.set_model_props(model, props)
    onnx.save(model, path)
    return path


def some_metadata(style: str = "negative", net: str = "{}") -> ModelMetadata:
    return ModelMetadata(
        style=style,
        net=net,
        training="{}",
        type="uint8",
        layout="NHWC",
        color_order="RGB",
        value_range=(0.0, 255.0),
        size="any",
        min_size_px=16,
        precision="fp32",
        opset=18,
        weights_sha256="0" * 64,
        date="2026-01-31",
        project_version="0.1.0",
    )
