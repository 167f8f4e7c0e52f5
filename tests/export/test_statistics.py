from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from synthetic import natural_frames
from torch import nn

from nst.export import GraphForm, build_graph, export_onnx
from nst.export.statistics import StatisticsDesk
from nst.infer import Stylizer
from nst.models import StyleNet, TrainedNet, build_net

NETS: dict[str, dict[str, Any]] = {
    "TransformerNet": {"width": 4, "residual_blocks": 1},
    "CompactNet": {"width": 8, "half_width": 4, "residual_blocks": 2},
}


def made(name: str) -> StyleNet:
    torch.manual_seed(0)
    net = build_net({"name": name, **NETS[name]})
    for norm in (each for each in net.modules() if isinstance(each, nn.InstanceNorm2d)):
        nn.init.normal_(norm.weight, 1.0, 0.5)
        nn.init.normal_(norm.bias)
    return net.eval()


@pytest.fixture(scope="module", params=NETS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "waves.onnx"
    trained = TrainedNet(made(request.param), style="waves", training={})
    assert export_onnx(trained, path, GraphForm(statistics=True)).difference_levels <= 1
    return path


class Run:
    def __init__(self, model: Path) -> None:
        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    def __call__(
        self, frames: NDArray[np.uint8], fixed: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        inputs: dict[str, Any] = {"image": frames}
        if fixed is not None:
            inputs["fixed_statistics"] = fixed
        stylized, statistics = self.session.run(["stylized", "statistics"], inputs)
        return stylized.astype(np.int16), statistics


def test_the_file_says_what_it_takes(model: Path) -> None:
    graph = onnx.load(model)
    onnx.checker.check_model(graph, full_check=True)
    assert [port.name for port in graph.graph.input] == ["image", "fixed_statistics"]
    assert [port.name for port in graph.graph.output] == ["stylized", "statistics"]
    run = Run(model).session
    assert [port.name for port in run.get_inputs()] == ["image"]
    assert [port.name for port in run.get_overridable_initializers()] == ["fixed_statistics"]
    assert run.get_outputs()[1].shape[0] == "batch"


def test_a_picture_with_its_own_statistics_given_back(model: Path) -> None:
    run = Run(model)
    frames = natural_frames((2, 61, 80))
    stylized, statistics = run(frames)
    assert (statistics[..., 1] >= 0).all()
    for number in (0, 1):
        again, used = run(frames[number : number + 1], statistics[number : number + 1])
        assert np.abs(again - stylized[number]).max() <= 1
        np.testing.assert_array_equal(used[0], statistics[number])


def test_a_tile_is_what_the_whole_picture_is_there(model: Path) -> None:
    run = Run(model)
    frame = natural_frames((1, 160, 200))
    whole, statistics = run(frame)
    tile = frame[:, 32:128, 40:160]
    alike, _ = run(tile, statistics)
    alone, _ = run(tile)
    inner = np.s_[:, 32:-32, 32:-32]
    expected = whole[:, 32:128, 40:160][inner]
    assert np.abs(alike[inner] - expected).max() <= 1
    assert np.abs(alone[inner] - expected).max() > 8


def test_channels_without_fixed_statistics_use_their_own(model: Path) -> None:
    run = Run(model)
    frame = natural_frames((1, 64, 64))
    _, own = run(frame)
    mixed = np.full_like(own, -1)
    mixed[:, 0] = own[:, 0]
    stylized, used = run(frame, mixed)
    assert np.abs(stylized - run(frame)[0]).max() <= 1
    np.testing.assert_allclose(used, own, rtol=1e-4, atol=1e-4)


def test_the_runtime_takes_the_file_for_what_it_is(model: Path) -> None:
    frame = natural_frames((1, 45, 70))
    assert np.array_equal(Stylizer(model)(frame[0]), Run(model)(frame)[0][0])


def test_the_network_itself_stays_as_it_is() -> None:
    net = made("CompactNet")
    norms = [each for each in net.modules() if isinstance(each, nn.InstanceNorm2d)]
    weights = {key: value.clone() for key, value in net.state_dict().items()}
    build_graph(net, GraphForm(statistics=True))
    assert norms == [each for each in net.modules() if isinstance(each, nn.InstanceNorm2d)]
    assert all(torch.equal(weights[key], value) for key, value in net.state_dict().items())


def test_a_network_without_statistics() -> None:
    with pytest.raises(ValueError, match="no instance norm"):
        StatisticsDesk(nn.Conv2d(3, 3, 1))
