"""A style of each network, and a photo."""

from pathlib import Path

import pytest
import torch

from nst.export import GraphForm, export_onnx
from nst.infer.styles import packaged_photo
from nst.models import CompactNet, StyleNet, TrainedNet, TransformerNet

HEIGHT_WIDTH = (241, 322)


@pytest.fixture(scope="session", params=["CompactNet", "TransformerNet"])
def trained(request: pytest.FixtureRequest) -> TrainedNet:
    torch.manual_seed(0)
    net: StyleNet = CompactNet(16, 8, 2) if request.param == "CompactNet" else TransformerNet(8, 1)
    return TrainedNet(net.eval(), style="waves")


@pytest.fixture(scope="session")
def model(trained: TrainedNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("apps") / "waves.onnx"
    export_onnx(trained, path)
    return path


@pytest.fixture(scope="session")
def strong_model(trained: TrainedNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a strength that has to be fed: JavaScript feeds no input that has a default."""
    path = tmp_path_factory.mktemp("apps") / "waves.onnx"
    export_onnx(trained, path, GraphForm(strength=True, defaults=False))
    return path


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PNG: decoders of JPEG differ."""
    path = tmp_path_factory.mktemp("apps") / "photo.png"
    height, width = HEIGHT_WIDTH
    packaged_photo().resize((width, height)).save(path)
    return path
