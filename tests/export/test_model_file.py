import json
from copy import deepcopy
from dataclasses import fields
from pathlib import Path

import jsonschema
import numpy as np
import onnx
import pytest
import torch
from synthetic import natural_frames

from nst.export import GraphForm, ParityError, build_graph, export_onnx, largest_difference
from nst.infer import ModelMetadata, Stylizer
from nst.infer.errors import UserError
from nst.models import StyleNet, TrainedNet, TransformerNet
from nst.models.style_net import OUTPUT_SCALE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def trained() -> TrainedNet:
    torch.manual_seed(0)
    net = TransformerNet(width=4, residual_blocks=1).eval()
    credit = {"artist": "Hokusai", "year": "1831"}
    return TrainedNet(net, style="waves", training={"steps": 12}, credit=credit)


@pytest.fixture(scope="module")
def model(trained: TrainedNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "waves.onnx"
    report = export_onnx(trained, path)
    assert report.path == path
    assert report.size_bytes == path.stat().st_size
    assert report.opset == 18
    assert report.difference_levels <= 1
    return path


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 33), (100, 75), (361, 641)])
def test_pictures_are_pytorchs(size: tuple[int, int], model: Path, trained: TrainedNet) -> None:
    frame = natural_frames((1, *size), seed=7)[0]
    found = Stylizer(model)(frame)
    assert found.shape == frame.shape
    if min(size) < 16:
        return
    image = torch.from_numpy(frame).permute(2, 0, 1).unsqueeze(0) / 255
    with torch.no_grad():
        expected = trained.net(image)[0].permute(1, 2, 0).clamp(0, 1).mul(255).numpy()
    assert np.abs(found - expected).max() <= 0.51 + 0.5


def test_what_the_file_says_of_itself(model: Path) -> None:
    graph = onnx.load(model)
    onnx.checker.check_model(graph, full_check=True)
    assert [(port.domain, port.version) for port in graph.opset_import] == [("", 18)]
    for port, name in ((graph.graph.input[0], "image"), (graph.graph.output[0], "stylized")):
        tensor = port.type.tensor_type
        assert port.name == name
        assert tensor.elem_type == onnx.TensorProto.UINT8
        dims = [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]
        assert dims == ["batch", "height", "width", 3]
    metadata = Stylizer(model).metadata
    assert metadata is not None
    assert metadata.style == "waves"
    assert json.loads(metadata.net) == {
        "name": "TransformerNet",
        "width": 4,
        "residual_blocks": 1,
    }
    assert json.loads(metadata.training) == {"steps": 12}
    assert metadata.min_size_px == 16
    assert (metadata.artist, metadata.year, metadata.license) == ("Hokusai", "1831", "")
    assert (metadata.type, metadata.size, metadata.precision) == ("uint8", "any", "fp32")
    props = {each.key: each.value for each in graph.metadata_props}
    assert props["Image.BitmapPixelFormat"] == "Rgb8"
    assert props["Image.NominalPixelRange"] == "NominalRange_0_255"
    assert graph.graph.input[0].type.denotation == "IMAGE"
    axes = [dim.denotation for dim in graph.graph.input[0].type.tensor_type.shape.dim]
    assert axes == ["DATA_BATCH", "DATA_FEATURE", "DATA_FEATURE", "DATA_CHANNEL"]


def test_the_metadata_fit_their_schema(model: Path) -> None:
    schema = json.loads((ROOT / "docs" / "metadata.schema.json").read_text())
    props = {each.key: each.value for each in onnx.load(model).metadata_props}
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(props, schema)
    known = {f"nst.{field.name}" for field in fields(ModelMetadata)}
    assert {key for key in schema["properties"] if key.startswith("nst.")} == known | {"nst.format"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(props | {"nst.color_order": "BGR"}, schema)


def test_weights_are_inside_the_file(model: Path) -> None:
    graph = onnx.load(model, load_external_data=False)
    assert not any(tensor.external_data for tensor in graph.graph.initializer)
    assert [path.name for path in model.parent.iterdir()] == ["waves.onnx"]


def test_paths_of_this_machine_stay_out_of_the_file(model: Path) -> None:
    here = str(Path(__file__).resolve().parents[2]).encode()
    assert here not in model.read_bytes()


@pytest.mark.parametrize("statistics", [False, True])
def test_the_newest_opset(statistics: bool, trained: TrainedNet, tmp_path: Path) -> None:
    export_onnx(trained, tmp_path / "x.onnx", GraphForm(statistics=statistics, opset=21))
    assert onnx.load(tmp_path / "x.onnx").opset_import[0].version == 21


def brighter(net: StyleNet) -> StyleNet:
    """A network whose picture is not that of the exported file."""
    other = deepcopy(net)
    other.rescale(image=1.0, result=1.0, centre=0.02 / OUTPUT_SCALE)
    return other


def test_parity_fails_on_another_network(model: Path, trained: TrainedNet) -> None:
    other = brighter(trained.net)
    with pytest.raises(ParityError, match=r"64x64 px in a batch of 1 differ by \d+/255"):
        largest_difference(other, model, GraphForm())


def test_pictures_that_are_not_finite(trained: TrainedNet, tmp_path: Path) -> None:
    net = deepcopy(trained.net)
    assert isinstance(net, TransformerNet)
    torch.nn.init.constant_(net.deconv3.weight, 3e38)
    with pytest.raises(ParityError, match="not finite"):
        export_onnx(TrainedNet(net, style="x"), tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_is_not_handed_over(
    trained: TrainedNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = brighter(trained.net)
    monkeypatch.setattr("nst.export.model_file.build_graph", lambda *_: build_graph(other))
    with pytest.raises(ParityError):
        export_onnx(trained, tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(trained: TrainedNet, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        export_onnx(trained, tmp_path / "none" / "x.onnx")
