"""Stylize pictures with an exported network, without PyTorch.

nst.infer
├── commands        nst-infer and the commands behind its name
│   └── command_line    a Typer app whose user errors are one line
├── jobs            what nst-infer does with photos once its flags are read
├── live            the webcam
├── video           video files
├── treatment       strokes, size, colours and a mask besides the style
├── stylizer        Stylizer: a frame in, a frame out
├── engine          a model and what runs it
├── steady          calm for the parts of a video that stand still
├── styles          styles by name: shipped ones, and the user's own
├── style_sheet     one photo in several styles, on one contact sheet
├── frame_time      how long a model takes for a frame
├── pictures        picture files and pixels
├── messages        what a run over photos or videos tells
├── memory          how much is free
├── files           files written whole or not at all
└── errors          UserError

A package imports from those below it.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# onnxruntime reports its sessions, with names of models, unless this stands before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from nst.infer.errors import UserError
from nst.infer.styles import find_style

if TYPE_CHECKING:
    from nst.infer.engine.metadata import ModelMetadata
    from nst.infer.stylizer import Stylizer
    from nst.infer.treatment import Treatment, treat

__all__ = ["ModelMetadata", "Stylizer", "Treatment", "UserError", "find_style", "treat"]

_HOMES = {
    "ModelMetadata": "engine.metadata",
    "Stylizer": "stylizer",
    "Treatment": "treatment",
    "treat": "treatment",
}


def __getattr__(name: str) -> Any:
    # Late, so that importing the command line does not load numpy.
    if name in _HOMES:
        return getattr(import_module(f"nst.infer.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
