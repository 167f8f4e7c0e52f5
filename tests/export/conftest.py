"""Small styles and sites."""

from pathlib import Path

import pytest
import torch
from graphs import copy_with_props
from node_packages import MissingError, browser, give_up, node_modules, tool

from nst.export import export_onnx
from nst.export.web.runtime import FILES
from nst.models import TrainedNet, TransformerNet


@pytest.fixture(scope="session")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A style that was never trained."""
    torch.manual_seed(0)
    net = TransformerNet(width=4, residual_blocks=1).eval()
    path = tmp_path_factory.mktemp("styles") / "waves.onnx"
    export_onnx(TrainedNet(net, style="waves", training={}), path)
    return path


@pytest.fixture(scope="session")
def hills(waves: Path) -> Path:
    """The same network under another name."""
    return copy_with_props(waves, waves.with_name("hills.onnx"), style="hills")


@pytest.fixture(scope="session")
def fake_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like onnxruntime-web."""
    package = tmp_path_factory.mktemp("runtime") / "package"
    (package / "dist").mkdir(parents=True)
    for name in FILES:
        (package / "dist" / name).write_text(f"// {name}")
    (package / "package.json").write_text('{"name": "onnxruntime-web", "version": "1.30.7"}')
    (package / "LICENSE").write_text("MIT")
    return package


@pytest.fixture(scope="session")
def browser_packages() -> Path:
    """The folder with the packages that tests of the page need. Skips where something is missing.

    With ``NST_REQUIRE_APPS=1`` that is a failure.
    """
    try:
        browser()
        tool("node")
        return node_modules("playwright-core", "onnxruntime-web")
    except MissingError as error:
        give_up(str(error))
