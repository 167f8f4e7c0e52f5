"""Styles that do as little as possible, and the command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import TensorProto, helper

from nst.infer import ModelMetadata
from nst.infer.commands.main import main

Run = Callable[..., int]
SaveGraph = Callable[..., Path]


@pytest.fixture
def identity(save_graph: SaveGraph, metadata: ModelMetadata) -> Path:
    """A style that changes nothing."""
    shape = ("n", "h", "w", 3)
    return save_graph(
        "same.onnx",
        [helper.make_node("Identity", ["x"], ["y"])],
        elem_type=TensorProto.UINT8,
        inputs=[("x", shape)],
        outputs=[("y", shape)],
        props=metadata.to_props(),
    )


@pytest.fixture
def run(identity: Path) -> Run:
    """Call ``nst-infer`` with the style that changes nothing, unless another is given."""

    def call(*argv: str | Path) -> int:
        words = [os.fspath(each) for each in argv]
        if "--style" not in words:
            words += ["--style", str(identity)]
        return main([*words, "--device", "cpu"])

    return call


@pytest.fixture
def refused(run: Run, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line that ``nst-infer`` prints when it refuses."""

    def call(*argv: str | Path) -> str:
        assert run(*argv) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert err.startswith("nst-infer: ")
        assert err.count("\n") == 1
        return err

    return call


@pytest.fixture
def start(identity: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start ``nst-infer`` as a process of its own."""

    def call(*argv: str | Path, style: Path = identity) -> subprocess.Popen[str]:
        words = [os.fspath(each) for each in argv]
        command = [sys.executable, "-m", "nst.infer", *words, "--style", str(style)]
        return subprocess.Popen(
            [*command, "--device", "cpu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return call
