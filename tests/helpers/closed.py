"""Folders that may not be entered, for whoever runs the tests: a superuser may enter any."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def close_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let nobody list a folder, or look at what is in it."""
    monkeypatch.setattr(os, "stat", refusing(os.stat, folder, also_itself=False))
    for function in (os.listdir, os.scandir):
        name = function.__name__
        monkeypatch.setattr(os, name, refusing(function, folder, also_itself=True))


def refusing(
    function: Callable[..., Any], folder: Path, *, also_itself: bool
) -> Callable[..., Any]:
    """A function of the operating system that refuses paths in a folder."""

    def refuse(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        absolute = Path(os.path.abspath(path)) if isinstance(path, str | Path) else Path()  # noqa: PTH100
        if folder in absolute.parents or (also_itself and absolute == folder):
            raise PermissionError(13, "Permission denied", str(path))
        return function(path, *args, **kwargs)

    return refuse
