import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from nst.infer import UserError
from nst.infer.engine.graph import ImageGraph

SaveGraph = Callable[..., Path]
ABS = [helper.make_node("Abs", ["x"], ["y"])]
NHWC = ("n", "h", "w", 3)


def test_layouts(invert_bytes: Path, invert_255: Path) -> None:
    graph = ImageGraph(invert_bytes)
    assert graph.layout == "NHWC"
    assert graph.props["nst.style"] == "starry_night"
    batch = np.arange(60, dtype=np.uint8).reshape(1, 4, 5, 3)
    np.testing.assert_array_equal(graph.run(batch), 255 - batch)
    graph = ImageGraph(invert_255, threads=1)
    assert graph.layout == "NCHW"
    assert graph.props == {}
    floats = batch.astype(np.float32).transpose(0, 3, 1, 2).copy()
    np.testing.assert_array_equal(graph.run(floats), 255 - floats)


@pytest.mark.parametrize(
    ("elem_type", "shape"),
    [
        (TensorProto.FLOAT, (1, 3, 20, 30)),
        (TensorProto.UINT8, (1, 20, 30, 3)),
    ],
)
def test_fixed_size(save_graph: SaveGraph, elem_type: int, shape: tuple[int, ...]) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    ports = {"inputs": [("x", shape)], "outputs": [("y", shape)]}
    graph = ImageGraph(save_graph("fixed.onnx", nodes, elem_type=elem_type, **ports))
    assert (graph.fixed_height, graph.fixed_width) == (20, 30)


def test_free_size(invert_255: Path) -> None:
    graph = ImageGraph(invert_255)
    assert graph.fixed_height is None
    assert graph.fixed_width is None


def test_input_with_a_default_value_does_not_count(save_graph: SaveGraph) -> None:
    model = save_graph(
        "default.onnx",
        [helper.make_node("Sub", ["white", "x"], ["y"])],
        inputs=[("x", ("n", 3, "h", "w")), ("white", ())],
        constants={"white": np.float32(255)},
    )
    batch = np.full((1, 3, 4, 4), 55, np.float32)
    np.testing.assert_array_equal(ImageGraph(model).run(batch), 200)


def test_open_output_shape_is_left_to_the_run(save_graph: SaveGraph) -> None:
    resize = [helper.make_node("Resize", ["x", "", "scales"], ["y"])]
    model = save_graph(
        "resize.onnx",
        resize,
        outputs=[("y", None)],
        constants={"scales": np.array([1, 1, 2, 2], np.float32)},
    )
    with pytest.raises(UserError, match=r"turned the shape \(1, 3, 4, 4\) into \(1, 3, 8, 8\)"):
        ImageGraph(model).run(np.zeros((1, 3, 4, 4), np.float32))


def test_weights_beside_the_model_are_found(
    tmp_path: Path, invert_255: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(invert_255)
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.full((1, 3, 1, 1), 255, np.float32), "white")
    )
    folder = tmp_path / "split"
    folder.mkdir()
    onnx.save(
        model, folder / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0
    )
    assert (folder / "m.data").exists()
    monkeypatch.chdir(tmp_path)
    result = ImageGraph(Path("split/m.onnx")).run(np.zeros((1, 3, 4, 4), np.float32))
    np.testing.assert_array_equal(result, 255)


def test_missing_folder_and_empty_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    for name, reason in (("no.onnx", "no such file"), ("", "folder"), ("empty.onnx", "empty")):
        with pytest.raises(UserError, match=reason):
            ImageGraph(tmp_path / name)


def test_other_files_are_no_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "a.onnx"
    Image.new("RGB", (9, 9)).save(model, "PNG")
    with pytest.raises(UserError, match=r"cannot load .*a\.onnx: it is not an ONNX model$"):
        ImageGraph(model)
    model.write_text("just a text\n" * 20)
    with pytest.raises(UserError, match=r"it is not an ONNX model$"):
        ImageGraph(model)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated_model_is_refused(
    invert_bytes: Path, part: float, capfd: pytest.CaptureFixture[str]
) -> None:
    content = invert_bytes.read_bytes()
    invert_bytes.write_bytes(content[: int(part * len(content))])
    with pytest.raises(UserError, match="damaged or incomplete"):
        ImageGraph(invert_bytes)
    assert capfd.readouterr() == ("", "")


def test_unknown_operator_is_named(
    save_graph: SaveGraph, capfd: pytest.CaptureFixture[str]
) -> None:
    model = save_graph("a.onnx", [helper.make_node("Swirl", ["x"], ["y"])])
    with pytest.raises(UserError, match="No Op registered for Swirl") as caught:
        ImageGraph(model)
    assert "ONNXRuntimeError" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_text_damaged_inside_is_refused(
    save_graph: SaveGraph, capfd: pytest.CaptureFixture[str]
) -> None:
    model = save_graph("a.onnx", [helper.make_node("Swirl", ["x"], ["y"])])
    model.write_bytes(model.read_bytes().replace(b"Swirl", b"Sw\x95rl"))
    with pytest.raises(UserError, match="damaged or incomplete"):
        ImageGraph(model)
    assert capfd.readouterr() == ("", "")


def test_file_name_of_another_format_is_read_as_onnx(invert_255: Path) -> None:
    renamed = invert_255.rename(invert_255.with_suffix(".ort"))
    assert ImageGraph(renamed).layout == "NCHW"
    renamed.write_bytes(b"\x1c\0\0\0ORTM" + bytes(40))
    with pytest.raises(UserError, match="not an ONNX model"):
        ImageGraph(renamed)


def test_undecodable_file_name_is_refused(invert_255: Path) -> None:
    try:
        renamed = invert_255.rename(invert_255.with_name(os.fsdecode(b"a\xff.onnx")))
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(UserError, match="rename it"):
        ImageGraph(renamed)


@pytest.mark.parametrize(
    ("elem_type", "inputs", "outputs", "described"),
    [
        (TensorProto.FLOAT, [("x", (1, 3, "h", "w")), ("x2", (2,))], None, "2 inputs"),
        (TensorProto.FLOAT, None, [("y", (1, 3, 8, 8)), ("x", (1, 3, 8, 8))], "2 outputs"),
        (TensorProto.FLOAT, [("x", (1, 1, "h", "w"))], None, r"1 input \[float \(1, 1, h, w\)\]"),
        (TensorProto.FLOAT, [("x", (8, 3, "h", "w"))], None, r"float \(8, 3, h, w\)"),
        (TensorProto.FLOAT, [("x", (3, "h", None))], None, r"float \(3, h, \?\)"),
        (TensorProto.FLOAT, [("x", NHWC)], [("y", NHWC)], r"float \(n, h, w, 3\)"),
        (TensorProto.FLOAT, [("x", None)], None, r"1 input \[float \(\)\]"),
        (TensorProto.INT64, None, None, "int64"),
        (TensorProto.UINT8, None, None, r"uint8 \(n, 3, h, w\)"),
    ],
)
def test_other_signatures_are_described(
    save_graph: SaveGraph,
    elem_type: int,
    inputs: list[tuple[str, tuple[int | str | None, ...] | None]] | None,
    outputs: list[tuple[str, tuple[int | str | None, ...] | None]] | None,
    described: str,
) -> None:
    ports = {"inputs": inputs, "outputs": outputs}
    given = {kind: value for kind, value in ports.items() if value}
    if inputs and not outputs:
        given["outputs"] = [("y", inputs[0][1])]
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    model = save_graph("a.onnx", nodes, elem_type=elem_type, **given)
    with pytest.raises(UserError, match=f"not an image-to-image model: it has .*{described}"):
        ImageGraph(model)


def test_mixed_types_are_described(save_graph: SaveGraph) -> None:
    nodes = [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.UINT8)]
    model = save_graph("a.onnx", nodes)
    changed = onnx.load(model)
    changed.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    onnx.save(changed, model)
    with pytest.raises(UserError, match=r"1 input \[float .*\] and 1 output \[uint8"):
        ImageGraph(model)


def test_failing_run_is_one_line(save_graph: SaveGraph, capfd: pytest.CaptureFixture[str]) -> None:
    nodes = [helper.make_node("Add", ["x", "five"], ["y"])]
    model = save_graph("a.onnx", nodes, constants={"five": np.zeros((1, 3, 5, 5), np.float32)})
    graph = ImageGraph(model)
    with pytest.raises(UserError, match=r"cannot run .*a\.onnx: .*Add") as caught:
        graph.run(np.zeros((1, 3, 4, 4), np.float32))
    assert len(str(caught.value).removeprefix(f"cannot run {model}: ")) <= 200
    assert "/onnxruntime" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_too_little_memory_is_told(
    save_graph: SaveGraph, capfd: pytest.CaptureFixture[str]
) -> None:
    # 3 * 4 * 4 * 2**40 numbers; from the shape of x, or they would be made while loading.
    nodes = [
        helper.make_node("Shape", ["x"], ["small"]),
        helper.make_node("Mul", ["small", "factor"], ["huge"]),
        helper.make_node("ConstantOfShape", ["huge"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("Add", ["x", "zero"], ["y"]),
    ]
    model = save_graph("a.onnx", nodes, constants={"factor": np.array([1, 1, 2**20, 2**20])})
    graph = ImageGraph(model)
    with pytest.raises(UserError, match="too large for the memory: give a smaller one"):
        graph.run(np.zeros((1, 3, 4, 4), np.float32))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("location", ["/etc/passwd", "../weights.bin", "missing.bin"])
def test_weights_in_a_file_that_cannot_be_used(tmp_path: Path, location: str) -> None:
    weight = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 3, 1, 1])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    ports = [
        helper.make_tensor_value_info(each, TensorProto.FLOAT, (1, 3, "h", "w")) for each in "xy"
    ]
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "outside", ports[:1], ports[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path / "outside.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="weights in another file, which is missing, damaged or"):
        ImageGraph(path)
