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
from nst.infer import Stylizer
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


def report(**values: Any) -> PrecisionReport:
    return replace(PrecisionReport("int8", 40.0, 35.0, 0.01), **values)


def test_what_is_near_enough() -> None:
    assert report().good_enough
    assert report(style_change=None).good_enough
    assert report(psnr_db=math.inf, style_change=0.0).good_enough
    assert not report(psnr_db=31.9).good_enough
    assert not report(style_change=-0.04).good_enough
    assert not report(precision="fp16").good_enough


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
