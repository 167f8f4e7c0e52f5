"""Packages of npm for tests and benchmarks, in ``.cache/node``, and the browser.

    python tests/helpers/node_packages.py playwright-core onnxruntime-web

``NST_NODE_MODULES`` names a folder ``node_modules`` that has them already.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".cache" / "node"
VERSIONS = {
    "onnxruntime-node": "~1.30.0",
    "onnxruntime-web": "~1.30.0",
    "playwright-core": "~1.65.0",
    "sharp": "^0.34.0",
}
NO_GPU_LIBRARIES = {"ONNXRUNTIME_NODE_INSTALL": "skip"}
"""Or onnxruntime-node downloads them while it is installed."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INSTALL_TIMEOUT_S = 240


class MissingError(Exception):
    """A tool or a package that is not here, and why."""


def node_modules(*packages: str) -> Path:
    """A folder with packages, which are installed where they are missing.

    Args:
        packages: names; those in ``VERSIONS`` in that version.
    Returns:
        The folder ``node_modules``.
    Raises:
        MissingError: if they are not there and npm cannot install them.
    """
    given = os.environ.get("NST_NODE_MODULES")
    folder = Path(given) if given else FOLDER / "node_modules"
    missing = [name for name in packages if not (folder / name / "package.json").is_file()]
    if missing and given:
        raise MissingError(f"NST_NODE_MODULES has no {missing[0]}")
    if missing:
        install(missing)
    return folder


def install(packages: list[str]) -> None:
    """Let npm install packages beside those that are there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    manifest = FOLDER / "package.json"
    if not manifest.exists():  # or npm would look for one further up
        manifest.write_text(json.dumps({"private": True}))
    wanted = [f"{name}@{VERSIONS.get(name, 'latest')}" for name in packages]
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    try:
        result = subprocess.run(
            [tool("npm"), "install", *options, *wanted],
            cwd=FOLDER,
            env=os.environ | NO_GPU_LIBRARIES,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"npm did not install {' '.join(wanted)} in time") from error
    if result.returncode != 0:
        raise MissingError(f"npm cannot install {' '.join(wanted)}: {result.stderr[:500]}")


def tool(*names: str) -> str:
    """Path of the first program that is installed.

    Raises:
        MissingError: if none is.
    """
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise MissingError(f"{names[0]} is not installed")


def browser() -> str:
    """Path of Chromium."""
    return tool(*BROWSERS)


def give_up(reason: str) -> NoReturn:
    """Skip a test that needs something; with ``NST_REQUIRE_APPS=1`` fail."""
    if os.environ.get("NST_REQUIRE_APPS") == "1":
        pytest.fail(f"required, but missing: {reason}")
    pytest.skip(reason)


if __name__ == "__main__":
    try:
        print(node_modules(*sys.argv[1:]))
    except MissingError as missing:
        sys.exit(str(missing))
