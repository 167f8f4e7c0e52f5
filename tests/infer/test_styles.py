import shutil
from pathlib import Path

import numpy as np
import pytest
from closed import close_folder
from graphs import save_negative

from nst.infer import Stylizer, UserError
from nst.infer.engine.model_card import read_card
from nst.infer.styles import (
    SHIPPED,
    TIERS,
    all_styles,
    as_named,
    find_style,
    named_styles,
    own_styles,
    packaged_photo,
    shipped_styles,
    style_facts,
)


@pytest.fixture(autouse=True)
def no_own_styles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NST_STYLES", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder: a style, one with a shipped name, and things that are no styles."""
    folder = tmp_path / "own"
    (folder / "folder.onnx").mkdir(parents=True)
    (folder / "notes.txt").write_text("hello")
    save_negative(folder / "Negative.ONNX")
    save_negative(folder / "Starry-Night.onnx")
    monkeypatch.setenv("NST_STYLES", str(folder))
    return folder


def test_every_shipped_style_says_what_it_is_and_runs() -> None:
    assert shipped_styles()
    for style in shipped_styles(None):
        facts = style_facts(style)
        assert all(facts[key] for key in ("title", "artist", "year", "tier"))
        card = read_card(style.path)
        assert card["license"]
        assert card["weights_match"]
        assert [port["name"] for port in card["inputs"]] == ["image", "strength"]
        frame = np.asarray(packaged_photo().resize((48, 32)))
        assert not np.array_equal(Stylizer(style.path)(frame), frame)


def test_every_shipped_file_has_its_credit() -> None:
    table = (SHIPPED / "CREDITS.md").read_text()
    names = {path.name for path in SHIPPED.rglob("*") if path.is_file()} - {"CREDITS.md"}
    assert {name for name in names if f"| {name} |" not in table} == set()


def test_every_shipped_style_comes_in_every_tier() -> None:
    names = [style.name for style in shipped_styles()]
    for tier in TIERS:
        styles = shipped_styles(tier)
        assert [style.name for style in styles] == names
        assert {style_facts(style)["tier"] for style in styles} == {tier}
    both = [style.path.relative_to(SHIPPED).as_posix() for style in shipped_styles(None)]
    assert both[:2] == [f"realtime/{names[0]}.onnx", f"quality/{names[0]}.onnx"]
    assert len(both) == 2 * len(names)


@pytest.mark.parametrize("name", ["starry_night", "starry-night", "Starry_Night"])
def test_a_shipped_name(name: str) -> None:
    assert find_style(name) == SHIPPED / "realtime" / "starry_night.onnx"
    assert find_style(name, "quality") == SHIPPED / "quality" / "starry_night.onnx"
    assert as_named(name).name == "starry_night"


def test_a_tier_is_for_shipped_styles(own: Path) -> None:
    assert as_named("negative", "quality").path == own / "Negative.ONNX"
    both = named_styles(["negative", "great_wave"], "quality", "realtime")
    assert [style.path for style in both] == [
        own / "Negative.ONNX",
        SHIPPED / "quality" / "great_wave.onnx",
    ]
    (default,) = named_styles(["great_wave"], None, "realtime")
    assert default.path == SHIPPED / "realtime" / "great_wave.onnx"
    with pytest.raises(UserError, match=r"--tier quality .*/own/Negative.ONNX is a file of your"):
        named_styles(["negative"], "quality", "realtime")


@pytest.mark.parametrize(
    "text", ["starry_night.onnx", "folder/starry_night", "./starry_night", "missing.onnx"]
)
def test_what_looks_like_a_path_is_one(text: str) -> None:
    assert find_style(text) == Path(text)
    assert as_named(text) == (Path(text).stem, Path(text), True)


def test_a_file_of_that_name_is_a_path_and_a_folder_is_not(tmp_path: Path) -> None:
    Path("starry_night").mkdir()
    assert find_style("starry_night") == SHIPPED / "realtime" / "starry_night.onnx"
    Path("starry_night").rmdir()
    shutil.copy(SHIPPED / "realtime" / "starry_night.onnx", "starry_night")
    assert find_style("starry_night") == Path("starry_night")


def test_an_unknown_name_tells_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        find_style("StaryNigth")
    assert str(caught.value) == (
        "there is no style StaryNigth: did you mean starry_night? nst-infer styles lists them, "
        "and a file is given with its suffix, StaryNigth.onnx"
    )
    with pytest.raises(UserError, match=r"did you mean (\w+_night) or (\w+_night)\?"):
        find_style("night")
    with pytest.raises(UserError, match=r"did you mean shipwreck_of_the_minotaur\?"):
        find_style("ship-wreck of")
    with pytest.raises(UserError, match=r"did you mean great_wave\?"):
        find_style("wave")
    with pytest.raises(UserError, match="there is no style xylophone: nst-infer styles lists"):
        find_style("xylophone")


def test_own_styles_come_before_shipped_ones(own: Path) -> None:
    assert [style.name for style in own_styles()] == ["Negative", "Starry-Night"]
    assert all(style.own for style in own_styles())
    assert find_style("negative") == own / "Negative.ONNX"
    assert find_style("starry_night") == own / "Starry-Night.onnx"
    names = [style.name for style in all_styles()]
    assert names[:2] == ["Negative", "Starry-Night"]
    assert "starry_night" not in names
    assert not any(style.name == "starry_night" for style in all_styles(None))
    with pytest.raises(UserError, match="did you mean Negative"):
        find_style("negativ")


def test_a_name_with_a_dot(own: Path) -> None:
    style = own / "St. Remy.onnx"
    save_negative(style)
    for text in ("St. Remy", "st. remy"):
        assert as_named(text) == ("St. Remy", style, True)
    for text in ("St. Remy.onnx", "St. Ives", "model.pth"):
        assert find_style(text) == Path(text)
    Path("St. Remy").touch()
    assert find_style("St. Remy") == Path("St. Remy")


def test_a_folder_of_own_styles_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NST_STYLES", "missing")
    with pytest.raises(UserError, match="NST_STYLES names missing, which is no folder"):
        find_style("starry_night")
    assert find_style("a.onnx") == Path("a.onnx")
    monkeypatch.setenv("NST_STYLES", "")
    assert own_styles() == []


def test_a_folder_of_own_styles_that_is_closed(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    close_folder(monkeypatch, own)
    for folder in (own, own / "more"):
        monkeypatch.setenv("NST_STYLES", str(folder))
        with pytest.raises(
            UserError, match=r"NST_STYLES names .*cannot be read: Permission denied"
        ):
            find_style("starry_night")


def test_a_name_that_is_too_long() -> None:
    with pytest.raises(UserError, match="there is no style aaa"):
        find_style(300 * "a")


def test_facts_of_a_style_from_elsewhere(tmp_path: Path) -> None:
    path = save_negative(tmp_path / "other.onnx", nst=False)
    facts = style_facts(as_named(str(path)))
    told = {"name": "other", "own": True, "file": str(path), "size_bytes": path.stat().st_size}
    assert facts == told | dict.fromkeys(("title", "artist", "year", "tier", "precision"), "")


def test_the_photo_of_the_package() -> None:
    assert packaged_photo().size == (600, 400)
    assert packaged_photo().mode == "RGB"
