"""From a trained network to an ONNX file. May use nst.models and nst.infer.

::

    app_net          a network as apps want it
    form             what a graph takes and gives
    graph            the graph
    statistics       instance norms whose statistics can be fixed
    parity           the comparison with PyTorch
    precision        half precision and int8
    stored_weights   weights in fewer bits, arithmetic in float32
    precision_check  the comparison of those with float32
    check_photos     the photos that are compared on
    layout           how onnxruntime runs a graph on a CPU
    model_file       the file: graph, metadata, comparisons
    cli              nst-export
    web              nst-export web: a page that runs the files in the browser
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import nst.infer  # noqa: F401 - before onnxruntime, which it keeps from reporting

if TYPE_CHECKING:
    from nst.export.form import DEFAULT_OPSET, OPSETS, GraphForm
    from nst.export.graph import build_graph
    from nst.export.model_file import ExportReport, export_onnx
    from nst.export.parity import ParityError, largest_difference
    from nst.export.precision_check import LowerPrecision

__all__ = [
    "DEFAULT_OPSET",
    "OPSETS",
    "ExportReport",
    "GraphForm",
    "LowerPrecision",
    "ParityError",
    "build_graph",
    "export_onnx",
    "largest_difference",
]

_HOMES = {
    "DEFAULT_OPSET": "form",
    "OPSETS": "form",
    "GraphForm": "form",
    "LowerPrecision": "precision_check",
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
