import json
import re
from pathlib import Path

import onnxruntime
import pytest

from nst.infer import ModelMetadata
from nst.infer.commands.main import main
from nst.infer.engine.devices import DEVICES

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
    assert facts["devices"]["cpu"] == {"works": True, "tested": True, "why_not": ""}
    assert list(facts["devices"]) == list(DEVICES)
    assert facts["devices"][facts["auto"]]["works"]
    assert facts["auto_why"].startswith(f"{facts['auto']} is the fastest")
    assert "CPUExecutionProvider" in facts["providers"]
    assert facts["onnxruntime"] == onnxruntime.__version__
    assert {"nst", "onnx", "python"} <= set(facts)


def test_devices_in_words(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = {"openvino": "not installed: pip install it", "webgpu": "no hardware"}
    monkeypatch.setattr("nst.infer.engine.devices.why_not", lambda device: reasons.get(device, ""))
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("python ")
    words = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert words["auto"] == "cuda"
    assert words["devices.cpu"] == "works"
    assert words["devices.cuda"] == "works, untested"
    assert words["devices.openvino"] == "not installed: pip install it"
    assert words["devices.webgpu"] == "no hardware, untested"


def test_a_style_by_its_name(capsys: Capture) -> None:
    assert main(["info", "Starry-Night"]) == 0
    assert re.search(r"^title +The Starry Night$", capsys.readouterr().out, re.MULTILINE)
    assert main(["info", "stary_night"]) == 2
    assert "did you mean starry_night?" in capsys.readouterr().err


def test_a_tier(capsys: Capture, invert_bytes: Path) -> None:
    for flags, tier in (([], "realtime"), (["--tier", "quality"], "quality")):
        assert main(["info", "starry_night", "--json", *flags]) == 0
        assert json.loads(capsys.readouterr().out)["tier"] == tier
    assert main(["info", "--tier", "quality"]) == 2
    assert "--tier belongs to a style: name one" in capsys.readouterr().err
    assert main(["info", str(invert_bytes), "--tier", "quality"]) == 2
    assert "a file of your own: leave it out" in capsys.readouterr().err


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
    assert main(["info", "--help"]) == 0
    assert "nst-infer info" in capsys.readouterr().out
