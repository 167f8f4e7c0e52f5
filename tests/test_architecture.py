"""What may import what, and what is packaged."""

import ast
import importlib
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("configs", "export", "infer", "models", "train")

OUR_IMPORTS = {
    "configs": set(),
    "infer": set(),
    "models": set(),
    "export": {"models", "infer"},
    "train": {"models", "export", "infer", "configs"},
}
OTHER_IMPORTS = {
    "configs": set(),
    "infer": {
        *("PIL", "av", "cv2", "google", "numpy", "onnx", "onnxruntime"),
        *("pillow_heif", "pyvirtualcam", "rich", "typer"),
    },
    "models": {"torch", "torchvision", "safetensors"},
    "export": {"numpy", "PIL", "onnx", "onnxruntime", "torch", "typer"},
    "train": {
        *("numpy", "PIL", "torch", "pytorch_lightning", "lightning_fabric"),
        *("av", "jinja2", "jsonargparse", "onnx", "onnxruntime", "rich", "torchmetrics", "typer"),
        "yaml",
    },
}


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for name in imports(path):
            top, _, rest = name.partition(".")
            if top == "nst":
                allowed = OUR_IMPORTS[folder] | {folder}
                assert rest.split(".")[0] in allowed, f"{path}: {name}"
            elif top not in sys.stdlib_module_names:
                assert top in OTHER_IMPORTS[folder], f"{path}: {name}"


def test_every_folder_with_code_is_packaged() -> None:
    """A subpackage that is not listed works where it is developed and is missing in the wheel."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(FOLDERS)
    code = sorted(
        path.parent.relative_to(ROOT)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    )
    packages = {f"nst.{'.'.join(folder.parts)}": str(folder) for folder in code}
    assert settings["packages"] == list(packages)
    assert settings["package-dir"] == packages


@pytest.mark.parametrize("folder", ["export", "infer", "models"])
def test_all_is_sorted_and_exists(folder: str) -> None:
    module = importlib.import_module(f"nst.{folder}")
    names: list[str] = module.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    assert all(hasattr(module, name) for name in names)
    with pytest.raises(AttributeError):
        module.nothing_of_this_name  # noqa: B018


def test_all_of_models_is_complete() -> None:
    module = importlib.import_module("nst.models")
    imported = {name for name, value in vars(module).items() if not isinstance(value, ModuleType)}
    assert {name for name in imported if not name.startswith("_")} == set(module.__all__)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    # A copy: setuptools leaves a build folder behind, and would pack what an older one holds.
    for name in (*FOLDERS, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "source" / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
            *("--outdir", str(folder), str(folder / "source")),
        ],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_module_and_config(wheel: Path) -> None:
    suffixes = {
        ".py",
        ".yaml",
        ".typed",
        ".j2",
        ".jpg",
        ".md",
        ".html",
        ".css",
        ".js",
        ".onnx",
        ".pt",
    }
    expected = {
        f"nst/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes
    }
    found = {str(path.relative_to(wheel)) for path in (wheel / "nst").rglob("*.*")}
    assert found == expected


def run_from(wheel: Path, code: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(wheel)!r}); {code}"
    result = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_configs_are_found_in_the_wheel(wheel: Path) -> None:
    code = "from nst.configs import *; import nst.configs as c; print(config_path('johnson'))"
    assert run_from(wheel, code).strip() == str(wheel / "nst" / "configs" / "johnson.yaml")


def test_the_wheel_starts_without_the_training_packages(wheel: Path) -> None:
    code = (
        "sys.modules.update(dict.fromkeys(['torch', 'onnx', 'pytorch_lightning']));"
        "from nst.infer.commands.main import main; sys.exit(main(['--version']))"
    )
    assert "nst-infer" in run_from(wheel, code)


@pytest.mark.parametrize("command", ["train", "export"])
def test_without_the_training_packages_a_line_says_what_to_install(
    command: str, wheel: Path
) -> None:
    code = (
        "sys.modules.update(dict.fromkeys(['torch', 'onnx', 'pytorch_lightning', 'jsonargparse']));"
        f"from nst.{command}.cli import main; sys.stderr = sys.stdout;"
        "print(main(['run']))"
    )
    line, status = run_from(wheel, code).splitlines()
    assert "pip install 'nst[train]'" in line
    assert status == "2"


def test_the_help_of_nst_export_does_not_wait_for_torch(wheel: Path) -> None:
    code = (
        "from nst.export.cli import main; main(['--help']);"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'numpy'} & set(sys.modules)))"
    )
    assert run_from(wheel, code).splitlines()[-1] == "[]"


def test_extras_never_ask_for_both_onnxruntimes() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    settings = tomllib.loads(text)["project"]
    needed = [settings["dependencies"], *settings["optional-dependencies"].values()]
    assert not any(name.startswith("onnxruntime-gpu") for names in needed for name in names)
