import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nst.infer import ModelMetadata, UserError
from nst.infer.engine.model_card import as_text, read_card, weights_sha256


def saved(path: Path, metadata: ModelMetadata | None, *, location: str = "") -> Path:
    """A graph that adds a constant; its bytes are in another file if there is a location."""
    weight = onnx.numpy_helper.from_array(np.ones((4,), np.float32), "w")
    if location:
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value=location)
    strength = onnx.numpy_helper.from_array(np.ones(1, np.float32), "strength")
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "w"], ["z"]),
            helper.make_node("Mul", ["z", "strength"], ["y"]),
        ],
        "test",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ("n", 4)),
            helper.make_tensor_value_info("strength", TensorProto.FLOAT, (1,)),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (None, 4))],
        [weight, strength],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    if metadata is not None:
        helper.set_model_props(model, metadata.to_props())
    path.write_bytes(model.SerializeToString())
    return path


def test_a_model_of_somebody_else(tmp_path: Path) -> None:
    card = read_card(saved(tmp_path / "x.onnx", None))
    assert card == {
        "file": str(tmp_path / "x.onnx"),
        "size_bytes": (tmp_path / "x.onnx").stat().st_size,
        "opset": 18,
        "inputs": [
            {"name": "x", "type": "float", "shape": ["n", 4], "optional": False},
            {"name": "strength", "type": "float", "shape": [1], "optional": True},
        ],
        "outputs": [{"name": "y", "type": "float", "shape": [None, 4]}],
    }
    text = as_text(card)
    assert "input       strength: float (1), optional" in text
    assert "output      y: float (?, 4)" in text


def test_our_own(tmp_path: Path, metadata: ModelMetadata) -> None:
    card = read_card(saved(tmp_path / "x.onnx", metadata))
    assert card["style"] == "starry_night"
    assert card["net"] == {"width": 32}
    assert card["value_range"] == [0, 255]
    assert "artist" not in card
    assert card["weights_match"] is False
    assert json.loads(json.dumps(card)) == card
    assert "net.width" in as_text(card)


def test_weights_have_a_hash(tmp_path: Path) -> None:
    model = onnx.load(saved(tmp_path / "x.onnx", None))
    before = weights_sha256(model)
    model.graph.initializer.reverse()
    assert weights_sha256(model) == before
    changed = onnx.numpy_helper.from_array(np.zeros((4,), np.float32), "w")
    model.graph.initializer[1].CopyFrom(changed)
    assert weights_sha256(model) != before


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "a/../../b"])
def test_weights_outside_the_folder_are_refused(location: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "x.onnx", None, location=location)
    with pytest.raises(UserError, match="weights from outside its folder"):
        read_card(path)


def test_weights_beside_the_file(tmp_path: Path, metadata: ModelMetadata) -> None:
    assert read_card(saved(tmp_path / "x.onnx", None, location="x.bin"))["opset"] == 18


def outside() -> TensorProto:
    tensor = TensorProto(name="s", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def in_a_constant(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=outside()))


def in_a_branch(model: onnx.ModelProto) -> None:
    branch = helper.make_graph([], "branch", [], [], [outside()])
    model.graph.node.append(helper.make_node("If", ["x"], ["c"], then_branch=branch))


def in_a_function(model: onnx.ModelProto) -> None:
    node = helper.make_node("Constant", [], ["c"], value=outside())
    opset = helper.make_opsetid("", 18)
    model.functions.append(helper.make_function("d", "f", [], ["c"], [node], [opset]))


def in_a_sparse_tensor(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(outside())


@pytest.mark.parametrize("hide", [in_a_constant, in_a_branch, in_a_function, in_a_sparse_tensor])
def test_weights_outside_are_found_wherever_they_hide(
    hide: Callable[[onnx.ModelProto], None], tmp_path: Path
) -> None:
    path = saved(tmp_path / "x.onnx", None)
    model = onnx.load(path)
    hide(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match="weights from outside its folder"):
        read_card(path)


def changed_props(path: Path, metadata: ModelMetadata, **props: str) -> Path:
    model = onnx.load(saved(path, metadata))
    helper.set_model_props(model, metadata.to_props() | {f"nst.{k}": v for k, v in props.items()})
    path.write_bytes(model.SerializeToString())
    return path


def test_texts_of_a_file_cannot_pose_as_lines_of_ours(
    tmp_path: Path, metadata: ModelMetadata
) -> None:
    path = changed_props(
        tmp_path / "x.onnx", metadata, artist="A\nweights_match  true", style="\x1b[31mred\x07"
    )
    text = as_text(read_card(path))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert sum(line.startswith("weights_match") for line in text.splitlines()) == 1


def test_the_graph_counts_where_the_metadata_say_otherwise(
    tmp_path: Path, metadata: ModelMetadata
) -> None:
    assert read_card(changed_props(tmp_path / "x.onnx", metadata, opset="99"))["opset"] == 18


@pytest.mark.parametrize(
    ("name", "value"), [("training", "[" * 100_000), ("opset", "9" * 5000), ("net", "{")]
)
def test_metadata_that_are_too_much(
    name: str, value: str, tmp_path: Path, metadata: ModelMetadata
) -> None:
    path = changed_props(tmp_path / "x.onnx", metadata, **{name: value})
    with pytest.raises(UserError, match=f"nst.{name} is missing or malformed"):
        read_card(path)


def test_tensors_that_are_wrong(tmp_path: Path, metadata: ModelMetadata) -> None:
    path = saved(tmp_path / "x.onnx", metadata)
    for change in ({"dims": [2**40]}, {"data_type": 99}, {"data_type": 0}, {"raw_data": b"x"}):
        model = onnx.load(path)
        model.graph.initializer[0].MergeFrom(TensorProto(**change))
        model.graph.input[0].type.tensor_type.elem_type = 99
        (tmp_path / "y.onnx").write_bytes(model.SerializeToString())
        card = read_card(tmp_path / "y.onnx")
        assert card["weights_match"] is False
        assert card["inputs"][0]["type"] == "unknown"


def test_texts_that_are_no_utf_8(tmp_path: Path, metadata: ModelMetadata) -> None:
    path = saved(tmp_path / "x.onnx", metadata)
    path.write_bytes(path.read_bytes().replace(b"starry_night", b"starry\xff\xfeight"))
    assert json.dumps(read_card(path))


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.onnx")
    with pytest.raises(UserError, match="it is a pipe or a device"):
        read_card(tmp_path / "x.onnx")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"hello", b"\x08\x07", b"\x08"])
def test_what_is_no_model(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(UserError, match="not an ONNX file, or damaged"):
        read_card(tmp_path / "x.onnx")


def test_a_file_cut_short(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.onnx", None)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="damaged"):
        read_card(path)


def test_metadata_that_are_wrong(tmp_path: Path, metadata: ModelMetadata) -> None:
    path = saved(tmp_path / "x.onnx", metadata)
    model = onnx.load(path)
    next(each for each in model.metadata_props if each.key == "nst.layout").value = "?"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UserError, match=r"cannot describe .*nst.layout is missing or malformed"):
        read_card(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_card(tmp_path / "none.onnx")
