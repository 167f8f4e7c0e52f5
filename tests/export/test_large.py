"""Pictures in tiles: what comes out is what the whole picture gives."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from synthetic import natural_frames

from nst.export import GraphForm, LowerPrecision, export_onnx
from nst.infer import Stylizer
from nst.infer.engine.tiling.large import LargePictures
from nst.infer.engine.tiling.statistics import measure_statistics
from nst.infer.engine.tiling.surgery import bake_knobs, load_whole
from nst.infer.errors import UserError
from nst.models import CompactNet, StyleNet, TrainedNet, TransformerNet
from nst.models.strength import knob_parameters

HEIGHT, WIDTH = 531, 702


def small_net(kind: str) -> StyleNet:
    torch.manual_seed(0)
    if kind == "TransformerNet":
        net: StyleNet = TransformerNet(width=4, residual_blocks=1)
    else:
        net = CompactNet(width=8, half_width=8, residual_blocks=2)
    for each in knob_parameters(net):
        torch.nn.init.normal_(each, std=0.3)
    for name, each in net.named_parameters():
        if "norm" in name and "weaker" not in name:
            torch.nn.init.normal_(each, mean=1.0, std=0.3)
    return net.eval()


CASES = {
    "CompactNet": ("CompactNet", GraphForm(), None),
    "fed": ("CompactNet", GraphForm(strength=True, defaults=False), None),
    "TransformerNet": ("TransformerNet", GraphForm(strength=True), None),
    "float": ("CompactNet", GraphForm(io="float"), None),
    "fp16": ("CompactNet", GraphForm(), LowerPrecision("fp16")),
}


@pytest.fixture(scope="module", params=CASES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind, form, lower = CASES[request.param]
    path = tmp_path_factory.mktemp("models") / f"{request.param}.onnx"
    trained = TrainedNet(small_net(kind), style=request.param, training={})
    export_onnx(trained, path, form=form, lower=lower)
    return path


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    """Dark on the left, so that the statistics of a tile are not those of the picture."""
    shade = np.linspace(0.2, 1, WIDTH)[:, None]
    shaded: np.ndarray = natural_frames((1, HEIGHT, WIDTH), seed=3)[0] * shade
    return shaded.astype(np.uint8)


def pictures(model: Path) -> LargePictures:
    loaded = load_whole(model)
    assert loaded is not None
    return LargePictures(bake_knobs(loaded, 1.0), "test")


def in_tiles(model: Path) -> Stylizer:
    """A stylizer that has not quite the memory for the whole picture."""
    whole = HEIGHT * WIDTH * pictures(model).working
    stylizer = Stylizer(model, max_memory=int(0.95 * whole))
    assert stylizer.tiling(WIDTH, HEIGHT).tiles > 1
    assert stylizer.tiling(WIDTH, HEIGHT).measured == 1
    return stylizer


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_tiles_leave_no_seam(model: Path, frame: np.ndarray, strength: float) -> None:
    whole = Stylizer(model)(frame, strength=strength).astype(int)
    apart = np.abs(in_tiles(model)(frame, strength=strength) - whole)
    levels = 1 if "fp16" not in model.name else 3
    assert apart.max() <= levels
    assert apart.mean() < 0.02 * levels


def test_the_statistics_of_a_tile_are_others(model: Path, frame: np.ndarray) -> None:
    """So that the test above can fail."""
    whole = Stylizer(model)(frame).astype(int)
    tile = Stylizer(model)(np.ascontiguousarray(frame[:256, :256])).astype(int)
    assert np.abs(tile - whole[:256, :256])[:128, :128].mean() > 2


def test_few_tiles_stand_for_the_picture(
    model: Path, frame: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Stylizer(model)(frame).astype(int)
    limit = in_tiles(model).max_memory
    monkeypatch.setattr("nst.infer.stylizer.SMALL_PX", 0)
    monkeypatch.setattr("nst.infer.engine.tiling.large.free_for_network", lambda _: limit)
    monkeypatch.setattr("nst.infer.engine.tiling.large.MOST_MEASURED_PX", 500_000)
    stylizer = Stylizer(model)
    assert 0.05 < np.abs(stylizer(frame) - whole).mean() < 12
    assert 0.2 < stylizer.tiling(WIDTH, HEIGHT).measured < 0.95


def test_pillow_pictures_and_progress(model: Path, frame: np.ndarray) -> None:
    image = Image.fromarray(frame)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    shares: list[float] = []
    stylizer = in_tiles(model)
    result = stylizer.stylize_image(image, on_progress=shares.append)
    assert result.mode == "RGBA"
    assert np.array_equal(np.asarray(result)[:, :, 3], np.asarray(image)[:, :, 3])
    assert np.array_equal(np.asarray(result)[:, :, :3], stylizer(frame))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_too_little_memory(model: Path, frame: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"raise --max-memory or give a smaller picture$"):
        Stylizer(model, max_memory=1000)(frame)


def test_what_a_pixel_reaches(
    model: Path, frame: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The overlap is as wide as the network looks, and not several times wider."""
    changed = frame.copy()
    changed[200:204, 300:304] = 255 - changed[200:204, 300:304]
    stylizer = in_tiles(model)
    found: list[Any] = []

    def measure_once(*given: Any, **how: Any) -> Any:
        found[:] = found or [measure_statistics(*given, **how)]
        return found[0]

    monkeypatch.setattr("nst.infer.engine.tiling.large.measure_statistics", measure_once)
    before, after = stylizer(frame), stylizer(changed)
    rows, columns = np.nonzero((before != after).any(axis=2))
    far = max(200 - rows.min(), rows.max() - 203, 300 - columns.min(), columns.max() - 303)
    reach = pictures(model).overlap_px
    assert 0.2 * reach < far <= reach


def test_statistics_as_an_input_cannot_be_cut(tmp_path: Path, frame: np.ndarray) -> None:
    path = tmp_path / "open.onnx"
    trained = TrainedNet(small_net("CompactNet"), style="open", training={})
    export_onnx(trained, path, form=GraphForm(statistics=True))
    assert Stylizer(path)(frame).shape == frame.shape
    with pytest.raises(UserError, match=r"models that nst-export writes \(without --statistics\)"):
        Stylizer(path, max_memory=1000)(frame)


def test_models_from_elsewhere_are_run_whole(
    model: Path, tmp_path: Path, frame: np.ndarray
) -> None:
    """Whatever their operators are: nothing is known of them."""
    graph = onnx.load(model)
    del graph.metadata_props[:]
    path = tmp_path / "elsewhere.onnx"
    onnx.save(graph, path)
    value_range = (0.0, 1.0) if "float" in model.name else None
    stylizer = Stylizer(path, value_range=value_range, max_memory=10**10)
    assert stylizer.tiling(WIDTH, HEIGHT) == (1, 1.0)
    assert stylizer(frame).shape == frame.shape
    with pytest.raises(UserError, match="models that nst-export writes"):
        Stylizer(path, value_range=value_range, max_memory=1000)(frame)
