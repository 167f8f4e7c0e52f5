import ast
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nst.infer

LOADED = "; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded_by(code: str, *argv: str | Path) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", "import sys; " + code + LOADED, *argv],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.splitlines()[-1].split())


def test_public_names_are_sorted_and_there() -> None:
    assert nst.infer.__all__ == sorted(nst.infer.__all__)
    for name in nst.infer.__all__:
        assert getattr(nst.infer, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        nst.infer.missing  # noqa: B018


REPORTS_OFF = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}


PACKAGES = ["", "commands", "engine", "engine.tiling", "jobs", "live", "pictures", "video"]


@pytest.mark.parametrize("package", PACKAGES)
def test_docstring_draws_every_module(package: str) -> None:
    module = importlib.import_module(f"nst.infer.{package}".rstrip("."))
    folder = Path(module.__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    words = set((module.__doc__ or "").split())
    assert modules <= words


LAYERS = {
    "commands": {"jobs", "live", "video", "engine", "pictures"},
    "jobs": {"engine", "pictures"},
    "live": {"video", "engine", "pictures"},
    "video": {"engine", "pictures"},
    "engine": set(),
    "pictures": set(),
}
"""Which packages of nst.infer each may import from."""


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_imports_from_those_below(package: str) -> None:
    above = {name for name in LAYERS if name not in LAYERS[package] | {package}}
    for path in (Path(nst.infer.__file__).parent / package).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found = set(re.findall(r"^\s*(?:from|import) nst\.infer\.(\w+)", text, re.MULTILINE))
        assert not found & above, path


def test_imports_are_those_of_the_runtime() -> None:
    packages = {
        *("PIL", "av", "cv2", "google", "numpy", "onnx", "onnxruntime"),
        *("pillow_heif", "pyvirtualcam", "rich", "typer"),
    }
    allowed = packages | set(sys.stdlib_module_names)
    for path in Path(nst.infer.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.startswith("nst.infer") or name.partition(".")[0] in allowed, path


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("from nst.infer.commands.main import main; main(['--help'])")
    heavy = {"PIL", "lightning", "numpy", "onnx", "onnxruntime", "pytorch_lightning", "rich"}
    assert not loaded & (heavy | {"torch", "torchvision"})


@pytest.mark.parametrize("command", ["bench", "info", "sheet", "styles"])
def test_help_of_other_commands_loads_nothing_heavy(command: str) -> None:
    loaded = loaded_by(
        f"from nst.infer.commands.main import main; assert main(['{command}', '--help']) == 0"
    )
    assert not loaded & {"PIL", "numpy", "onnx", "onnxruntime", "rich"}


def test_stylizing_loads_no_training_library(photo: Path, invert_bytes: Path) -> None:
    loaded = loaded_by(
        "from nst.infer.commands.main import main\n"
        "assert main([sys.argv[1], '--style', sys.argv[2], '--device', 'cpu']) == 0",
        photo,
        invert_bytes,
    )
    assert {"numpy", "onnxruntime", "PIL"} <= loaded
    training = {"lightning", "onnx", "onnxscript", "pytorch_lightning", "torch", "torchvision"}
    assert not loaded & training


def test_nothing_is_reported_to_anybody(photo: Path, invert_bytes: Path, tmp_path: Path) -> None:
    """onnxruntime keeps a database of what it will report in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if key not in REPORTS_OFF}
    environment |= {"HOME": str(home), "TMPDIR": str(home)}
    command = [sys.executable, "-m", "nst.infer", str(photo), "--style", str(invert_bytes)]
    subprocess.run(command, check=True, env=environment)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("module", ["nst.export.parity", "nst.train.evaluate.cost"])
def test_onnxruntime_is_told_first(module: str) -> None:
    code = (
        "import builtins, os; plain = builtins.__import__\n"
        "def watched(name, *given, **named):\n"
        "    assert name != 'onnxruntime' or os.environ.get('ORT_DISABLE_TELEMETRY')\n"
        "    return plain(name, *given, **named)\n"
        f"builtins.__import__ = watched; import {module}"
    )
    environment = {key: value for key, value in os.environ.items() if key not in REPORTS_OFF}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
