"""Stylize pictures with an exported network, without PyTorch.

nst.infer
├── cli             the command nst-infer
│   ├── info_cli        nst-infer info
│   ├── styles_cli      nst-infer styles
│   ├── sheet_cli       nst-infer sheet
│   ├── bench_cli       nst-infer bench
│   └── command_line    a Typer app whose user errors are one line
├── stylize_run     what nst-infer does once its flags are read
│   ├── inputs          which pictures are meant
│   ├── outputs         what the results are called, and where they go
│   ├── one_photo       a photo, from its file to its results
│   │   └── animation       frame by frame
│   ├── batch           many photos at once
│   ├── style_sessions  styles for one thread or many
│   └── report          lines, JSON, progress
├── treatment       strokes, size, colours and a mask besides the style
├── stylizer        Stylizer: a frame in, a frame out
│   ├── tiling          pictures too large to be run at once
│   ├── frames          frames of bytes to what a graph takes, and back
│   ├── style_graphs    the graph for each strength
│   ├── graph           the ONNX graph behind it
│   │   └── devices         what onnxruntime can run on here
│   ├── value_range     whether a foreign graph works in 0-255 or 0-1
│   └── metadata        ModelMetadata: what an exported model says about itself
├── model_card      what an ONNX file says about itself, read without running it
├── photo           a photo file: its pixels and what stands beside them
├── images          reading and writing pictures
│   └── pixel_limit     how large they may be
├── photo_files     the photos in a folder
├── colors          the colours of one picture, the light and dark of another
├── styles          styles by name: shipped ones, and the user's own
├── style_sheet     one photo in several styles, on one contact sheet
├── frame_time      how long a model takes for a frame
├── contact_sheet   several pictures on one
├── memory          how much is free
├── files           files written whole or not at all
└── errors          UserError
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# onnxruntime reports its sessions, with names of models, unless this stands before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from nst.infer.errors import UserError
from nst.infer.styles import find_style

if TYPE_CHECKING:
    from nst.infer.metadata import ModelMetadata
    from nst.infer.stylizer import Stylizer
    from nst.infer.treatment import Treatment, treat

__all__ = ["ModelMetadata", "Stylizer", "Treatment", "UserError", "find_style", "treat"]

_HOMES = {
    "ModelMetadata": "metadata",
    "Stylizer": "stylizer",
    "Treatment": "treatment",
    "treat": "treatment",
}


def __getattr__(name: str) -> Any:
    # Late, so that importing the command line does not load numpy.
    if name in _HOMES:
        return getattr(import_module(f"nst.infer.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
