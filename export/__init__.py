"""From a trained network to an ONNX file. May use nst.models and nst.infer.

::

    graph       the graph: bytes in, bytes out, any size
    statistics  instance norms whose statistics can be fixed
    parity      the comparison with PyTorch
    model_file  the file: graph, metadata, comparison
    cli         nst-export
    web         nst-export web: a page that runs the files in the browser
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nst.export.graph import DEFAULT_OPSET, OPSETS, build_graph
    from nst.export.model_file import ExportReport, export_onnx
    from nst.export.parity import ParityError, largest_difference

__all__ = [
    "DEFAULT_OPSET",
    "OPSETS",
    "ExportReport",
    "ParityError",
    "build_graph",
    "export_onnx",
    "largest_difference",
]

_HOMES = {
    "DEFAULT_OPSET": "graph",
    "OPSETS": "graph",
    "build_graph": "graph",
    "ExportReport": "model_file",
    "export_onnx": "model_file",
    "ParityError": "parity",
    "largest_difference": "parity",
}


def __getattr__(name: str) -> Any:
    # Late, so that the help of nst-export does not wait for torch.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
