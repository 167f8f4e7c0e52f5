from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from nst.infer import UserError
from nst.infer.engine.graph import ImageGraph
from nst.infer.engine.value_range import measure_value_range, probe_image

SaveGraph = Callable[..., Path]


def affine(save_graph: SaveGraph, scale: float, offset: float) -> ImageGraph:
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["y"]),
    ]
    constants = {"scale": np.float32(scale), "offset": np.float32(offset)}
    return ImageGraph(save_graph("affine.onnx", nodes, constants=constants))


def test_probe_image_spreads_like_a_photo() -> None:
    probe = probe_image(64, 48)
    assert probe.shape == (1, 3, 64, 48)
    assert probe.dtype == np.float32
    assert probe.min() >= 0
    assert probe.max() <= 255
    assert (probe.std(axis=(2, 3)) > 30).all()
    np.testing.assert_array_equal(probe, probe_image(64, 48))


@pytest.mark.parametrize(
    ("scale", "offset"), [(1, 0), (-1, 255), (1.5, -60), (0.3, 100), (0, 128), (1, 60)]
)
def test_bytes(save_graph: SaveGraph, scale: float, offset: float) -> None:
    assert measure_value_range(affine(save_graph, scale, offset)) == (0, 255)


@pytest.mark.parametrize(("scale", "offset"), [(1 / 255, 0), (0, 0.5), (-1 / 255, 1), (0.004, 0.2)])
def test_unit(save_graph: SaveGraph, scale: float, offset: float) -> None:
    assert measure_value_range(affine(save_graph, scale, offset)) == (0, 1)


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(-1, 1), (1 / 100, 0), (2 / 255, -1), (1 / 60, -2), (100, 0), (np.nan, 0)],
)
def test_anything_else_asks_the_user(save_graph: SaveGraph, scale: float, offset: float) -> None:
    with pytest.raises(UserError, match=r"cannot tell .* --range 0-1 or --range 0-255"):
        measure_value_range(affine(save_graph, scale, offset))


def test_fixed_size_is_measured_at_that_size(save_graph: SaveGraph) -> None:
    shape = (1, 3, 20, 28)
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    model = save_graph("fixed.onnx", nodes, inputs=[("x", shape)], outputs=[("y", shape)])
    assert measure_value_range(ImageGraph(model)) == (0, 255)
