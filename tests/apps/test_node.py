"""The script for Node.js in ``docs/apps/node``."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from node_packages import MissingError, give_up, node_modules, tool
from numpy.typing import NDArray
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "apps" / "node" / "stylize.mjs"


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the packages that it imports."""
    try:
        tool("node")
        packages = node_modules("onnxruntime-node", "sharp")
    except MissingError as error:
        give_up(str(error))
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(packages, target_is_directory=True)
    return Path(shutil.copy(SCRIPT, folder))


def run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tool("node"), str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"NODE_OPTIONS": ""},
    )


def stylized(model: Path, photo: Path, **knobs: float) -> NDArray[np.int16]:
    """What onnxruntime's Python package makes of it."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    with Image.open(photo) as picture:
        inputs = {"image": np.asarray(picture)[None]}
    inputs |= {name: np.array([value], np.float32) for name, value in knobs.items()}
    result: NDArray[np.int16] = session.run(["stylized"], inputs)[0][0].astype(np.int16)
    return result


def difference(path: Path, expected: NDArray[np.int16]) -> int:
    with Image.open(path) as picture:
        found = np.asarray(picture)
    assert found.shape == expected.shape
    return int(np.abs(found - expected).max())


@pytest.mark.node
def test_node(script: Path, model: Path, photo: Path, tmp_path: Path) -> None:
    result = run(script, model, photo, tmp_path / "out.png")
    assert result.returncode == 0, result.stderr
    assert difference(tmp_path / "out.png", stylized(model, photo)) <= 2


@pytest.mark.node
def test_node_with_a_strength(
    script: Path, strong_model: Path, photo: Path, tmp_path: Path
) -> None:
    result = run(script, strong_model, photo, tmp_path / "out.png", 0.4)
    assert result.returncode == 0, result.stderr
    assert difference(tmp_path / "out.png", stylized(strong_model, photo, strength=0.4)) <= 2
    assert difference(tmp_path / "out.png", stylized(strong_model, photo, strength=1)) > 2


@pytest.mark.node
def test_node_at_full_strength(
    script: Path, strong_model: Path, photo: Path, tmp_path: Path
) -> None:
    result = run(script, strong_model, photo, tmp_path / "out.png")
    assert result.returncode == 0, result.stderr
    assert difference(tmp_path / "out.png", stylized(strong_model, photo, strength=1)) <= 2


@pytest.mark.node
def test_node_with_a_strength_that_is_not_taken(
    script: Path, model: Path, photo: Path, tmp_path: Path
) -> None:
    result = run(script, model, photo, tmp_path / "out.png", 0.4)
    assert result.returncode == 2
    assert "takes no strength: export it with --strength --no-defaults" in result.stderr
    assert not (tmp_path / "out.png").exists()


@pytest.mark.node
def test_node_without_arguments(script: Path) -> None:
    result = run(script)
    assert result.returncode == 2
    assert result.stderr.startswith("usage:")
