from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from nst.export import GraphForm, LowerPrecision, export_onnx
from nst.infer import Stylizer, UserError
from nst.infer.engine.metadata import Weights
from nst.models import CompactNet, TrainedNet, TransformerNet
from nst.train.evaluate.cost import GraphCost, frame_ms_by_device, graph_cost

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


def test_a_quantised_convolution_counts_as_the_same(tmp_path: Path) -> None:
    """Weight and bias come out of a DequantizeLinear; scales and zero points are none."""
    nodes = [
        helper.make_node("DequantizeLinear", ["w8", "scale", "zero"], ["w"], axis=0),
        helper.make_node("DequantizeLinear", ["bias32", "scale"], ["bias"], axis=0),
        helper.make_node("Conv", ["x", "w", "bias"], ["y"], pads=[1, 1, 1, 1]),
    ]
    path = save(tmp_path / "model.onnx", nodes, {})
    model = onnx.load(path)
    model.graph.initializer.extend(
        [
            onnx.numpy_helper.from_array(np.ones((3, 3, 3, 3), np.int8), "w8"),
            onnx.numpy_helper.from_array(np.full(3, 0.1, np.float32), "scale"),
            onnx.numpy_helper.from_array(np.zeros(3, np.int8), "zero"),
            onnx.numpy_helper.from_array(np.zeros(3, np.int32), "bias32"),
        ]
    )
    onnx.save(model, path)
    assert graph_cost(path)[1:] == (84, 81.0)


def test_weights_in_a_file_beside_the_model_count(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "a"], ["y"], pads=[1, 1, 1, 1])
    path = save(tmp_path / "model.onnx", [node], {"a": (3, 3, 3, 3)})
    whole = onnx.load(path)
    onnx.save(whole, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    found = graph_cost(path)
    assert found.file_bytes == path.stat().st_size + 4 * 81
    assert found.parameters == 81


def test_operators_inside_a_function_count(tmp_path: Path) -> None:
    conv = helper.make_node("Conv", ["i", "w"], ["o"], pads=[1, 1, 1, 1])
    opset = helper.make_opsetid("", 18)
    function = helper.make_function("own", "Layer", ["i", "w"], ["o"], [conv], [opset])
    node = helper.make_node("Layer", ["x", "a"], ["y"], domain="own")
    path = save(tmp_path / "model.onnx", [node], {"a": (3, 3, 3, 3)})
    model = onnx.load(path)
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    onnx.save(model, path)
    assert graph_cost(path).macs_per_pixel == 81


@pytest.mark.parametrize("operator", ["MatMul", "Gemm"])
def test_matrix_products_count(operator: str, tmp_path: Path) -> None:
    """A 512 x 16 matrix times 16 x 5, from a picture that is averaged to 16 columns."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[1, 32], strides=[1, 32]),
        helper.make_node("ReduceMean", ["p", "axes"], ["m"], keepdims=0),
        helper.make_node(operator, ["m", "a"], ["z"]),
        helper.make_node("ReduceMean", ["z"], ["mean"], keepdims=0),
        helper.make_node("Add", ["x", "mean"], ["y"]),
    ]
    path = save(tmp_path / "model.onnx", nodes, {"a": (16, 5)})
    model = onnx.load(path)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray([0, 1]), "axes"))
    onnx.save(model, path)
    assert graph_cost(path).macs_per_pixel == 512 * 16 * 5 / 512**2


def test_a_model_that_does_not_run_is_named(tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    path = save(tmp_path / "model.onnx", nodes, {})
    model = onnx.load(path)
    shape = onnx.numpy_helper.from_array(np.asarray([1, 3, 8, 8]), "shape")
    model.graph.initializer.append(shape)
    onnx.save(model, path)
    with pytest.raises(UserError, match=r"cannot run .*model\.onnx"):
        graph_cost(path)


def test_a_fixed_size_counts_its_own_pixels(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "a"], ["y"], pads=[1, 1, 1, 1])]
    path = save(tmp_path / "model.onnx", nodes, {"a": (3, 3, 3, 3)})
    model = onnx.load(path)
    for port in (*model.graph.input, *model.graph.output):
        for place, size in ((0, 1), (2, 32), (3, 48)):
            port.type.tensor_type.shape.dim[place].dim_value = size
    onnx.save(model, path)
    assert graph_cost(path).macs_per_pixel == 81


def test_scales_of_a_resize_are_no_parameters(tmp_path: Path) -> None:
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest")
    path = save(tmp_path / "model.onnx", [node], {"scales": (4,)})
    model = onnx.load(path)
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.asarray([1, 1, 2, 2], np.float32), "scales")
    )
    onnx.save(model, path)
    assert graph_cost(path)[1:] == (0, 0.0)


def test_weights_that_are_stored_in_fewer_bits_count_once(tmp_path: Path) -> None:
    """A scale for each channel is no parameter."""
    torch.manual_seed(0)
    net, whole = TrainedNet(CompactNet(16, 8, 1).eval(), "waves"), tmp_path / "whole.onnx"
    export_onnx(net, whole)
    kinds: tuple[Weights, ...] = ("fp16", "int8")
    for weights in kinds:
        small = tmp_path / f"{weights}.onnx"
        export_onnx(net, small, lower=LowerPrecision(weights=weights, force=True))
        assert graph_cost(small)[1:] == graph_cost(whole)[1:]


def test_every_device_that_works_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "model.onnx", [helper.make_node("Relu", ["x"], ["y"])], {})
    opened: list[tuple[str, int | None]] = []

    class FakeStylizer(Stylizer):
        def __init__(self, model: Path, *, device: str, threads: int | None, **_: object) -> None:
            opened.append((device, threads))
            if device == "cuda":
                raise UserError("no CUDA here")

        def __call__(self, picture: Any, *, strength: float = 1.0) -> Any:
            return picture

    devices = ["cpu", "openvino", "cuda"]
    monkeypatch.setattr("nst.train.evaluate.cost.available_devices", lambda: devices)
    monkeypatch.setattr("nst.train.evaluate.cost.Stylizer", FakeStylizer)
    failures: list[str] = []
    times = frame_ms_by_device(path, value_range=None, threads=3, on_failure=failures.append)
    assert failures == ["not timed on cuda: no CUDA here"]
    assert list(times) == ["cpu", "openvino"]
    assert opened == [(device, 3) for device in devices]


def test_fixed_statistics_are_no_parameters(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    trained = TrainedNet(TransformerNet(width=4, residual_blocks=1).eval(), "waves", {})
    costs = []
    for statistics in (False, True):
        export_onnx(trained, tmp_path / "x.onnx", GraphForm(statistics=statistics))
        costs.append(graph_cost(tmp_path / "x.onnx"))
    assert costs[0].parameters == costs[1].parameters
    assert costs[0].macs_per_pixel == costs[1].macs_per_pixel
    assert "fixed_statistics" not in capfd.readouterr().err
