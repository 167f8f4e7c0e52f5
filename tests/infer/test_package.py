import ast
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


def test_docstring_draws_every_module() -> None:
    folder = Path(nst.infer.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")}
    words = set((nst.infer.__doc__ or "").split())
    assert modules <= words


def test_imports_are_those_of_the_runtime() -> None:
    packages = {"PIL", "google", "numpy", "onnx", "onnxruntime", "pillow_heif", "rich", "typer"}
    allowed = packages | set(sys.stdlib_module_names)
    for path in Path(nst.infer.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.startswith("nst.infer") or name.partition(".")[0] in allowed, path


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("from nst.infer.cli import main; main(['--help'])")
    heavy = {"PIL", "lightning", "numpy", "onnx", "onnxruntime", "pytorch_lightning", "rich"}
    assert not loaded & (heavy | {"torch", "torchvision"})


def test_stylizing_loads_no_training_library(photo: Path, invert_bytes: Path) -> None:
    loaded = loaded_by(
        "from nst.infer.cli import main; assert main([sys.argv[1], '--style', sys.argv[2]]) == 0",
        photo,
        invert_bytes,
    )
    assert {"numpy", "onnxruntime", "PIL"} <= loaded
    training = {"lightning", "onnx", "onnxscript", "pytorch_lightning", "torch", "torchvision"}
    assert not loaded & training
