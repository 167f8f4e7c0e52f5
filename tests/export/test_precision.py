import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from synthetic import natural_frames

from nst.export import GraphForm, LowerPrecision, ParityError, export_onnx
from nst.export.precision import to_int8
from nst.export.precision_check import LEAST_PSNR_DB, PrecisionReport
from nst.export.stored_weights import in_bytes
from nst.infer import Stylizer
from nst.infer.engine.metadata import Weights
from nst.infer.errors import UserError
from nst.models import CompactNet, TrainedNet


@pytest.fixture(scope="module")
def trained() -> TrainedNet:
    torch.manual_seed(0)
    painting = torch.from_numpy(natural_frames((1, 96, 128), seed=5)).permute(0, 3, 1, 2) / 255
    return TrainedNet(CompactNet(16, 8, 1).eval(), style="waves", painting=painting)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(6):
        frame = natural_frames((1, 96, 128), seed=number)[0]
        Image.fromarray(frame).save(folder / f"{number}.png")
    return folder


NONE = onnx.TensorProto()


def difference(one: Path, other: Path, size: tuple[int, int] = (80, 100)) -> float:
    frame = natural_frames((1, *size), seed=9)[0]
    return float(np.abs(Stylizer(one)(frame).astype(int) - Stylizer(other)(frame)).mean())


@pytest.mark.parametrize(
    "form", [GraphForm(), GraphForm(io="float", size=(64, 80)), GraphForm(strength=True)]
)
def test_int8(form: GraphForm, trained: TrainedNet, photos: Path, tmp_path: Path) -> None:
    whole, small = tmp_path / "x.onnx", tmp_path / "x.int8.onnx"
    plain = export_onnx(trained, whole, form)
    report = export_onnx(trained, small, form, lower=LowerPrecision("int8", photos))
    assert report.lower is not None
    assert report.lower.psnr_db >= 32
    assert report.lower.style_change is not None
    assert report.size_bytes < 0.6 * plain.size_bytes
    assert (report.lower.checks, report.lower.calibration) == (3, 3)
    metadata = Stylizer(small).metadata
    assert metadata is not None
    assert metadata.precision == "int8"
    height, width = form.size or (80, 100)
    assert 0 < difference(whole, small, (height, width)) < 6
    graph = onnx.load(small).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    quantized = [node for node in graph.node if node.op_type == "DequantizeLinear"]
    weights = [node for node in quantized if len(constants.get(node.input[0], NONE).dims) == 4]
    assert len(weights) == len([node for node in graph.node if node.op_type == "Conv"])
    for node in weights:
        assert constants[node.input[0]].data_type == onnx.TensorProto.INT8
        assert list(constants[node.input[1]].dims) == [constants[node.input[0]].dims[0]]
    activations = [node for node in quantized if node.input[0] not in constants]
    kinds = {constants[node.input[2]].data_type for node in activations}
    assert kinds == {onnx.TensorProto.UINT8}


@pytest.mark.parametrize(
    "form", [GraphForm(), GraphForm(strength=True, statistics=True), GraphForm(io="float")]
)
def test_half_precision(form: GraphForm, trained: TrainedNet, tmp_path: Path) -> None:
    whole, half = tmp_path / "x.onnx", tmp_path / "x.fp16.onnx"
    plain = export_onnx(trained, whole, form)
    report = export_onnx(trained, half, form, lower=LowerPrecision("fp16"))
    assert report.lower is not None
    assert report.lower.psnr_db >= 50
    assert report.size_bytes < 0.8 * plain.size_bytes
    assert difference(whole, half) < 0.5
    graph = onnx.load(half).graph
    kinds = {tensor.data_type for tensor in graph.initializer if len(tensor.dims) == 4}
    assert kinds == {onnx.TensorProto.FLOAT16}
    kind = "ReduceMean" if form.statistics else "InstanceNormalization"
    norms = [node for node in graph.node if node.op_type == kind]
    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast"}
    assert len(norms) >= 3
    for node in norms:
        assert casts[node.input[0]].attribute[0].i == onnx.TensorProto.FLOAT


@pytest.mark.parametrize(("weights", "share", "least_db"), [("fp16", 0.75, 55), ("int8", 0.62, 40)])
@pytest.mark.parametrize("form", [GraphForm(), GraphForm(strength=True, statistics=True, opset=21)])
def test_weights_in_fewer_bits(
    form: GraphForm,
    weights: Weights,
    share: float,
    least_db: float,
    trained: TrainedNet,
    tmp_path: Path,
) -> None:
    """The file is smaller, the arithmetic and so the picture nearly the same."""
    whole, small = tmp_path / "x.onnx", tmp_path / "x.small.onnx"
    plain = export_onnx(trained, whole, form)
    report = export_onnx(trained, small, form, lower=LowerPrecision(weights=weights))
    assert report.lower is not None
    assert report.lower.psnr_db > least_db
    assert f"weights in {weights} (beside fp32" in report.summary()
    assert report.size_bytes < share * plain.size_bytes
    assert 0 < difference(whole, small) < 1
    metadata = Stylizer(small).metadata
    assert metadata is not None
    assert (metadata.precision, metadata.weights) == ("fp32", weights)
    # onnxruntime turns them into constants when it opens the file, and plans the same layouts.
    assert report.reorders == plain.reorders
    graph = onnx.load(small).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    assert not [n for n in graph.node if n.op_type == "Conv" and n.input[1] in constants]


def test_int8_weights_of_a_channel_have_its_own_scale() -> None:
    values = np.zeros((3, 2, 3, 3), np.float32)
    values[1] = 1e-3
    values[1, 0, 0, 0] = -2e-3
    values[2, 1, 2, 2] = 50
    (small, scale), _ = in_bytes(values, "w")
    whole, scales = onnx.numpy_helper.to_array(small), onnx.numpy_helper.to_array(scale)
    assert whole.dtype == np.int8
    assert (whole.min(), whole.max()) == (-127, 127)
    np.testing.assert_allclose(whole * scales, values, rtol=0, atol=1e-5)
    np.testing.assert_allclose((whole * scales)[1], values[1], rtol=0.01)


def test_tiles_of_a_model_with_stored_weights(trained: TrainedNet, tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    export_onnx(trained, path, lower=LowerPrecision(weights="int8"))
    frame = natural_frames((1, 800, 820), seed=3)[0]
    whole = Stylizer(path)(frame).astype(int)
    tiled = Stylizer(path, max_memory=20_000_000)
    seen: list[float] = []
    painted = tiled.stylize_image(Image.fromarray(frame), on_progress=seen.append)
    assert len(seen) > 1
    assert np.abs(np.asarray(painted) - whole).max() <= 1


def report(**values: Any) -> PrecisionReport:
    return replace(PrecisionReport("int8", 40.0, 35.0, 0.01), **values)


def test_what_is_near_enough() -> None:
    assert report().good_enough
    assert report(style_change=None).good_enough
    assert report(psnr_db=math.inf, style_change=0.0).good_enough
    assert not report(psnr_db=31.9).good_enough
    assert not report(style_change=-0.04).good_enough
    assert not report(name="fp16").good_enough
    assert not report(name="weights in int8", psnr_db=39.9).good_enough


def test_too_far_from_float32(
    trained: TrainedNet, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LEAST_PSNR_DB, "int8", 90.0)
    tried: list[bool] = []

    def counted(*arguments: Any, ends_in_float: bool) -> onnx.ModelProto:
        tried.append(ends_in_float)
        return to_int8(*arguments, ends_in_float=ends_in_float)

    monkeypatch.setattr("nst.export.precision_check.to_int8", counted)
    path = tmp_path / "x.onnx"
    with pytest.raises(ParityError, match=r"PSNR \d.*asked for are 90 dB and 3% .*--force"):
        export_onnx(trained, path, lower=LowerPrecision("int8", photos))
    assert not any(tmp_path.iterdir())
    assert tried == [False, True]
    forced = export_onnx(trained, path, lower=LowerPrecision("int8", photos, force=True)).lower
    assert forced is not None
    assert tried == [False, True, False, True]
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    # The second candidate, with both ends in float, is the nearer one.
    convolutions = kinds.count("Conv")
    assert kinds.count("DequantizeLinear") < 3 * convolutions
    assert forced.psnr_db > 32


def test_int8_needs_photos(trained: TrainedNet, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pass --photos FOLDER"):
        export_onnx(trained, tmp_path / "x.onnx", lower=LowerPrecision("int8"))
    Image.new("RGB", (40, 40)).save(tmp_path / "one.png")
    with pytest.raises(UserError, match="too few photos that can be read"):
        export_onnx(trained, tmp_path / "x.onnx", lower=LowerPrecision("int8", tmp_path))
