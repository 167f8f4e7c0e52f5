"""The pictures of mistakes in the guide."""

import importlib
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from nst.infer.styles import find_style

DEMO = Path(__file__).parents[1] / "demo"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(DEMO)
    yield importlib.import_module("what_goes_wrong")
    for name in ("what_goes_wrong", "styles"):
        del sys.modules[name]


def test_a_picture_of_all_mistakes(
    script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained = []

    def run(*line: object) -> str:
        painting, folder = Path(str(line[2])), Path(str(line[line.index("--out") + 1]))
        trained.append(painting.stem)
        folder.mkdir(parents=True)
        shutil.copy(find_style("udnie"), folder / f"{painting.stem}.onnx")
        return ""

    for painting in ("udnie", "starry_night", "the_scream"):
        (tmp_path / f"{painting}.jpg").touch()
    monkeypatch.setattr(script, "run", run)
    monkeypatch.setattr(script, "PICTURE", tmp_path / "picture.webp")
    flags = ["--paintings", tmp_path, "--photos", tmp_path, "--out", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", ["what_goes_wrong", *map(str, flags)])
    script.main()
    script.main()
    assert trained == ["udnie", "udnie", "udnie", "starry_night", "the_scream"]
    with Image.open(tmp_path / "picture.webp") as picture:
        assert picture.height > script.HEIGHT_PX
        assert picture.width > 5 * script.HEIGHT_PX


def test_a_run_that_fails_ends_it(script: Any, tmp_path: Path) -> None:
    (tmp_path / "udnie.jpg").touch()
    settings = SimpleNamespace(paintings=tmp_path, photos=tmp_path, out=tmp_path / "out")
    with pytest.raises(SystemExit) as ended:
        script.train("too little style", settings)
    assert ended.value.code == 2
