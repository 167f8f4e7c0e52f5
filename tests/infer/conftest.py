"""Tiny ONNX models and photos, built on the spot."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from graphs import some_metadata
from onnx import NodeProto, TensorProto, helper
from PIL import Image

from nst.infer import ModelMetadata

Shape = Sequence[int | str | None] | None
SaveGraph = Callable[..., Path]

NHWC = ("n", "h", "w", 3)
NCHW = ("n", 3, "h", "w")


@pytest.fixture
def metadata() -> ModelMetadata:
    return some_metadata(style="starry_night", net='{"width": 32}')


@pytest.fixture
def save_graph(tmp_path: Path) -> SaveGraph:
    """Save a graph from "x" to "y" in the folder models."""

    def save(
        name: str,
        nodes: Sequence[NodeProto],
        *,
        elem_type: int = TensorProto.FLOAT,
        inputs: Sequence[tuple[str, Shape]] = (("x", NCHW),),
        outputs: Sequence[tuple[str, Shape]] = (("y", NCHW),),
        constants: dict[str, object] | None = None,
        props: dict[str, str] | None = None,
    ) -> Path:
        graph = helper.make_graph(
            nodes,
            "test",
            [helper.make_tensor_value_info(port, elem_type, shape) for port, shape in inputs],
            [helper.make_tensor_value_info(port, elem_type, shape) for port, shape in outputs],
            [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
        )
        opset = helper.make_opsetid("", 18)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
        helper.set_model_props(model, props or {})
        path = tmp_path / "models" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(model.SerializeToString())
        return path

    return save


@pytest.fixture
def invert_bytes(save_graph: SaveGraph, metadata: ModelMetadata) -> Path:
    """255 - x on uint8, as nst exports: (N, H, W, 3), with metadata."""
    return save_graph(
        "invert.onnx",
        [helper.make_node("BitwiseNot", ["x"], ["y"])],
        elem_type=TensorProto.UINT8,
        inputs=[("x", NHWC)],
        outputs=[("y", NHWC)],
        props=metadata.to_props(),
    )


@pytest.fixture
def invert_255(save_graph: SaveGraph) -> Path:
    """255 - x on float32, without metadata."""
    return save_graph(
        "invert_255.onnx",
        [helper.make_node("Sub", ["white", "x"], ["y"])],
        constants={"white": np.float32(255)},
    )


@pytest.fixture
def invert_1(save_graph: SaveGraph) -> Path:
    """1 - x on float32, kept in 0 to 1, without metadata."""
    return save_graph(
        "invert_1.onnx",
        [
            helper.make_node("Sub", ["one", "x"], ["d"]),
            helper.make_node("Clip", ["d", "zero", "one"], ["y"]),
        ],
        constants={"one": np.float32(1), "zero": np.float32(0)},
    )


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A PNG of 40x30 pixels, alone in the folder photos."""
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    path = tmp_path / "photos" / "photo.png"
    path.parent.mkdir()
    Image.fromarray(pixels).save(path)
    return path
