"""The forms of a graph, beside PyTorch."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from synthetic import natural_frames
from torch import nn

from nst.export import GraphForm, build_graph
from nst.export.form import MIN_SIDE_PX
from nst.export.parity import feed, in_levels, open_session
from nst.infer.engine.graph import required_knobs
from nst.models import CompactNet, StyleNet, TransformerNet, knob_parameters

SIZE = (37, 53)


@pytest.fixture(scope="module", params=["CompactNet", "TransformerNet"])
def net(request: pytest.FixtureRequest) -> StyleNet:
    torch.manual_seed(0)
    made = CompactNet(8, 4, 1) if request.param == "CompactNet" else TransformerNet(4, 1)
    for value in knob_parameters(made):
        nn.init.normal_(value, 0.0, 0.3)
    return made.eval()


def opened(net: StyleNet, form: GraphForm) -> onnxruntime.InferenceSession:
    graph = build_graph(net, form)
    onnx.checker.check_model(graph, full_check=True)
    return open_session(graph.SerializeToString())


def expected(net: StyleNet, frames: NDArray[np.uint8], strength: float = 1.0) -> NDArray[Any]:
    with torch.no_grad():
        stylized = net(torch.from_numpy(frames).permute(0, 3, 1, 2) / 255, torch.tensor(strength))
    levels: NDArray[Any] = stylized.clamp(0, 1).mul(255).permute(0, 2, 3, 1).numpy()
    return levels


@pytest.mark.parametrize("size", [None, SIZE])
def test_floats(net: StyleNet, size: tuple[int, int] | None) -> None:
    form = GraphForm(io="float", size=size)
    session = opened(net, form)
    batch = 2 if size is None else 1
    frames = natural_frames((batch, *SIZE))
    (result,) = session.run(None, feed(frames, form))
    assert result.dtype == np.float32
    assert result.shape == (batch, 3, *SIZE)
    np.testing.assert_allclose(in_levels(result), expected(net, frames), atol=0.01)


def test_floats_are_clamped() -> None:
    form = GraphForm(io="float")
    wide = TransformerNet(4, 0).eval()
    assert wide.deconv3.bias is not None
    nn.init.constant_(wide.deconv3.bias, 100.0)
    (result,) = opened(wide, form).run(None, feed(natural_frames((1, 32, 32)), form))
    assert result.max() == 1


def test_one_size_alone(net: StyleNet) -> None:
    session = opened(net, GraphForm(size=SIZE))
    (port,) = session.get_inputs()
    assert port.shape == [1, *SIZE, 3]
    assert session.get_outputs()[0].shape == [1, *SIZE, 3]
    frames = natural_frames((1, *SIZE))
    (result,) = session.run(None, {"image": frames})
    assert np.abs(result - expected(net, frames)).max() <= 1


@pytest.mark.parametrize("io", ["uint8", "float"])
def test_strength(net: StyleNet, io: Any) -> None:
    form = GraphForm(io=io, strength=True, statistics=True)
    session = opened(net, form)
    assert [port.name for port in session.get_inputs()] == ["image"]
    frames = natural_frames((1, *SIZE))
    inputs = feed(frames, form)
    results = {}
    for strength in (None, 0.0, 0.4, 1.0):
        knobs = {} if strength is None else {"strength": np.array([strength], np.float32)}
        results[strength] = in_levels(session.run(["stylized"], inputs | knobs)[0])
    for strength in (0.0, 0.4, 1.0):
        assert np.abs(results[strength] - expected(net, frames, strength)).max() <= 1
    np.testing.assert_array_equal(results[None], results[1.0])
    np.testing.assert_allclose(results[0.0], frames, atol=1e-4)


def test_knobs_that_have_to_be_fed(net: StyleNet) -> None:
    """What OpenVINO's plug-in and onnxruntime in JavaScript take."""
    form = GraphForm(strength=True, statistics=True, defaults=False)
    session = opened(net, form)
    assert {port.name for port in session.get_inputs()} == {"image", "strength", "fixed_statistics"}
    frames = natural_frames((1, *SIZE))
    inputs = feed(frames, form) | required_knobs(session)
    (whole,) = session.run(["stylized"], inputs)
    assert np.abs(whole - expected(net, frames)).max() <= 1
    (half,) = session.run(["stylized"], inputs | {"strength": np.array([0.5], np.float32)})
    assert np.abs(half - expected(net, frames, 0.5)).max() <= 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"opset": 11}, "18, 19, 20, 21, not 11"),
        ({"size": (15, 40)}, "at least 16 px"),
    ],
)
def test_forms_that_there_are_not(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GraphForm(**settings)


def test_the_smallest_side_is_that_of_the_networks() -> None:
    assert StyleNet.min_size_px == MIN_SIDE_PX
