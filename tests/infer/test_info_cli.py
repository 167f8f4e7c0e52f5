import json
import re
from pathlib import Path

import pytest

from nst.infer import ModelMetadata
from nst.infer.cli import main

Capture = pytest.CaptureFixture[str]


def test_a_model(invert_bytes: Path, metadata: ModelMetadata, capsys: Capture) -> None:
    assert main(["info", str(invert_bytes), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["style"] == metadata.style
    assert card["inputs"][0]["shape"] == ["n", "h", "w", 3]
    assert main(["info", str(invert_bytes)]) == 0
    assert re.search(r"^style +starry_night$", capsys.readouterr().out, re.MULTILINE)


def test_what_is_installed(capsys: Capture) -> None:
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["devices"][0] == "cpu"
    assert {"nst", "onnxruntime", "python"} <= set(facts)
    assert main(["info"]) == 0
    assert capsys.readouterr().out.startswith("python ")


def test_no_model(photo: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["info", str(photo)]) == 2
    assert "nst-infer info: cannot read" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "none.onnx")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["info", "--nonsense"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_help(capsys: Capture) -> None:
    assert main(["info", "--help"]) == 0
    assert "--json" in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert "nst-infer info" in capsys.readouterr().out
