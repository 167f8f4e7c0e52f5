"""Stylize pictures with an exported network, without PyTorch.

nst.infer
├── cli             the command nst-infer
│   ├── info_cli        nst-infer info
│   └── command_line    a Typer app whose user errors are one line
├── stylizer        Stylizer: a frame in, a frame out
│   ├── graph           the ONNX graph behind it
│   │   └── devices         what onnxruntime can run on here
│   ├── value_range     whether a foreign graph works in 0-255 or 0-1
│   └── metadata        ModelMetadata: what an exported model says about itself
├── model_card      what an ONNX file says about itself, read without running it
├── photo           a photo file: its pixels and what stands beside them
├── images          reading and writing pictures
├── photo_files     the photos in a folder
├── colors          the colours of one picture, the light and dark of another
├── contact_sheet   several pictures on one
├── memory          how much is free
├── files           files written whole or not at all
└── errors          UserError
"""

from typing import TYPE_CHECKING, Any

from nst.infer.errors import UserError

if TYPE_CHECKING:
    from nst.infer.metadata import ModelMetadata
    from nst.infer.stylizer import Stylizer

__all__ = ["ModelMetadata", "Stylizer", "UserError"]


def __getattr__(name: str) -> Any:
    # Late, so that importing the command line does not load numpy.
    if name == "ModelMetadata":
        from nst.infer.metadata import ModelMetadata

        return ModelMetadata
    if name == "Stylizer":
        from nst.infer.stylizer import Stylizer

        return Stylizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
