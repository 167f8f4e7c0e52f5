from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nst.infer import Stylizer
from nst.train.evaluate.cost import GraphCost, frame_ms, frame_ms_by_device, graph_cost

FLOATS = ("n", 3, "h", "w")


def save(path: Path, nodes: Sequence[onnx.NodeProto], weights: dict[str, tuple[int, ...]]) -> Path:
    tensors = [
        onnx.numpy_helper.from_array(np.zeros(shape, np.float32), name)
        for name, shape in weights.items()
    ]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, FLOATS) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "test", ports[:1], ports[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return path


def test_operations_are_counted_by_hand(tmp_path: Path) -> None:
    """A 3x3 from 3 to 8 at stride 2, a grouped 3x3 on 8, a transposed 4x4 back to 3."""
    nodes = [
        helper.make_node("Conv", ["x", "a", "bias"], ["p"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["p", "b"], ["q"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("ConvTranspose", ["q", "c"], ["y"], strides=[2, 2], pads=[1, 1, 1, 1]),
    ]
    weights = {"a": (8, 3, 3, 3), "bias": (8,), "b": (8, 1, 3, 3), "c": (8, 3, 4, 4)}
    path = save(tmp_path / "model.onnx", nodes, weights)
    quarter = 1 / 4
    assert graph_cost(path) == GraphCost(
        file_bytes=path.stat().st_size,
        parameters=8 * 27 + 8 + 8 * 9 + 8 * 48,
        macs_per_pixel=quarter * (8 * 27 + 8 * 9 + 8 * 48),
    )


def test_a_graph_without_convolutions_costs_nothing(tmp_path: Path) -> None:
    path = save(tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"])], {})
    assert graph_cost(path)[1:] == (0, 0.0)


def test_frames_are_timed(tmp_path: Path) -> None:
    path = save(tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"])], {})
    stylizer = Stylizer(path, value_range=(0.0, 255.0))
    small, large = (frame_ms(stylizer, size, runs=5) for size in ((16, 16), (1280, 720)))
    assert 0 < small < large


def test_every_device_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"])], {})
    devices = ["cpu", "cuda"]
    monkeypatch.setattr("nst.train.evaluate.cost.available_devices", lambda: devices)
    times = frame_ms_by_device(path, value_range=(0.0, 255.0))
    assert list(times) == ["cpu"]
