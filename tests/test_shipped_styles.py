"""What comes with nst is what ``make styles`` makes, and says so."""

import importlib
import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from PIL import Image

from nst.infer.engine.model_card import read_card
from nst.infer.styles import SHIPPED, shipped_styles

DEMO = Path(__file__).parents[1] / "demo"
RECIPE = yaml.safe_load((DEMO / "styles.yaml").read_text(encoding="utf-8"))
RECORDED = {
    "--trainer.max_steps": "steps",
    "--data.crop_px": "crop_px",
    "--model.style_size": "style_size_px",
    "--model.style_layer_weights": "style_layer_weights",
    "--model.grid_weight": "grid_weight",
}
"""Flags of nst-train that the recipe may name, and how a model's metadata call them."""
USUAL = {
    "--data.crop_px": "192",
    "--model.style_size": "512",
    "--model.style_strength": "1",
    "--model.style_weight": "4",
}
"""Where the recipe names none."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(DEMO)
    yield importlib.import_module("styles")
    del sys.modules["styles"]


@pytest.mark.parametrize("style", shipped_styles(None), ids=lambda style: style.name)
def test_a_shipped_style_says_whose_it_is(style: Any) -> None:
    card = read_card(style.path)
    for key in ("title", "artist", "year"):
        assert card[key] == str(RECIPE["styles"][style.name][key])
    assert card["license"] == "public domain"
    assert card["tier"] == style.path.parent.name
    credits_page = (SHIPPED / "CREDITS.md").read_text(encoding="utf-8")
    assert f"| {style.path.name} |" in credits_page


@pytest.mark.parametrize("style", shipped_styles(None), ids=lambda style: style.name)
def test_a_shipped_style_was_trained_as_the_recipe_says(script: Any, style: Any) -> None:
    training = read_card(style.path)["training"]
    flags = script.flags_of(style.name, RECIPE, style.path.parent.name)
    values = USUAL | dict(zip(flags[::2], flags[1::2], strict=True))
    factors = [float(values.pop(f"--model.style_{factor}")) for factor in ("weight", "strength")]
    assert training["style_weight"] * training["style_strength"] == math.prod(factors)
    for flag, value in values.items():
        assert training[RECORDED[flag]] == yaml.safe_load(value), flag
    assert training["warm_start"] == "base"


def test_every_shipped_style_is_on_the_page() -> None:
    """Written anew by ``demo/gallery.py``."""
    docs = DEMO.with_name("docs")
    page = (docs / "styles.md").read_text(encoding="utf-8")
    for style in shipped_styles():
        picture = f"pictures/styles/{style.name}.webp"
        assert f"]({picture})" in page
        with Image.open(docs / picture) as image:
            assert image.height > 900
    for style in shipped_styles(None):
        training = read_card(style.path)["training"]
        crops = f"{training['steps']:,} of {training['crop_px']} px"
        assert f"| {style.path.parent.name} | {crops} |" in page
    assert page.count("\n| realtime |") == page.count("\n| quality |") == len(shipped_styles())


def test_all_commands_of_a_style(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A style is trained once, and judged each time."""
    called = []

    def run(command: str, *arguments: object) -> str:
        called.append(command)
        if command == "nst-train":
            (tmp_path / "out" / "realtime" / "udnie").mkdir(parents=True)
        if command == "nst-export":
            Path(str(arguments[-1])).touch()
        measures = {measure: {"mean": 0.5} for measure in script.MEASURES}
        return json.dumps({"models": {"udnie": {"measures": measures}}})

    monkeypatch.setattr(script, "run", run)
    monkeypatch.setattr(script, "MEASURED", tmp_path / "measured.json")
    script.MEASURED.write_text('{"quality": {"great_wave": {"content": 1}}}')
    Image.new("RGB", (8, 8)).save(tmp_path / "udnie.png")
    flags = ["--paintings", tmp_path, "--photos", tmp_path, "--test", tmp_path, "--only", "udnie"]
    monkeypatch.setattr(sys, "argv", ["styles", *map(str, flags), "--out", str(tmp_path / "out")])
    script.main()
    script.main()
    assert called == ["nst-train", "nst-export", "nst-evaluate", "nst-evaluate"]
    measured = json.loads((tmp_path / "measured.json").read_text())
    assert measured["quality"] == {"great_wave": {"content": 1}}
    assert measured["realtime"]["udnie"].keys() == {*script.MEASURES, "seconds"}


def test_a_missing_painting(script: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no painting great_wave"):
        script.train("great_wave", RECIPE, settings(tmp_path))


def test_a_dull_painting_is_stretched(script: Any, tmp_path: Path) -> None:
    dull = Image.linear_gradient("L").point(lambda value: 60 + value // 3).convert("RGB")
    dull.save(tmp_path / "the_scream.png")
    dull.save(tmp_path / "udnie.png")
    prepared = script.prepare_painting("the_scream", RECIPE, settings(tmp_path))
    assert prepared == tmp_path / "paintings" / "the_scream.png"
    with Image.open(prepared) as image:
        assert image.convert("L").getextrema() == (0, 255)
    assert script.prepare_painting("udnie", RECIPE, settings(tmp_path)) == tmp_path / "udnie.png"


def settings(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(out=folder, tier="realtime", paintings=folder, photos=folder)


def test_a_command_that_fails_ends_it(script: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        script.run("nst-train", "--no-such-flag")
    assert ended.value.code == 2
