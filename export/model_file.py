"""Writing a trained network as an ONNX file that has proven itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx

from nst.export.graph import DEFAULT_OPSET, build_graph
from nst.export.parity import largest_difference
from nst.infer.files import atomic_write
from nst.infer.metadata import BYTE_RANGE, ModelMetadata
from nst.infer.stylizer import Stylizer
from nst.models import TrainedNet


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        path: the file.
        size_bytes: its size.
        opset: ONNX opset of the graph.
        difference_levels: largest difference from PyTorch's pictures, in levels of 255.
    """

    path: Path
    size_bytes: int
    opset: int
    difference_levels: int

    def summary(self) -> str:
        """One line for the terminal."""
        return (
            f"{self.path}  {self.size_bytes / 1e6:.2f} MB  opset {self.opset}  "
            f"largest difference from PyTorch {self.difference_levels}/255"
        )


def export_onnx(
    trained: TrainedNet, path: Path, *, opset: int = DEFAULT_OPSET, statistics: bool = False
) -> ExportReport:
    """Export a network, compare the file with PyTorch, and only then give it its name.

    Args:
        trained: from ``nst.models.load_trained_net``, or just trained.
        path: of the ONNX file; an existing one is replaced.
        opset: see ``nst.export.graph.OPSETS``.
        statistics: with fixed statistics, see ``nst.export.graph.build_graph``.
    Raises:
        ParityError: if the file does not give PyTorch's pictures. None is left.
        UserError: if it cannot be written.
        ValueError: if ``opset`` is unknown, or the network has no statistics.
    """
    graph = build_graph(trained.net, opset=opset, statistics=statistics)
    metadata = ModelMetadata(
        style=trained.style,
        net=to_json(trained.net.architecture),
        training=to_json(trained.training),
        layout="NHWC",
        color_order="RGB",
        value_range=BYTE_RANGE,
        min_size_px=trained.net.min_size_px,
        opset=opset_of(graph),
        project_version=version("nst"),
    )
    onnx.helper.set_model_props(graph, metadata.to_props())
    graph.producer_name, graph.producer_version = "nst", version("nst")
    with atomic_write(path) as unproven:
        unproven.write_bytes(graph.SerializeToString())
        Stylizer(unproven)  # the runtime takes it, metadata included
        difference = largest_difference(trained.net, unproven)
    return ExportReport(path, path.stat().st_size, opset_of(graph), difference)


def opset_of(graph: onnx.ModelProto) -> int:
    """Version of the standard operators that a graph uses."""
    return int(next(entry.version for entry in graph.opset_import if entry.domain == ""))


def to_json(value: Mapping[str, Any]) -> str:
    """One line of JSON, keys sorted."""
    return json.dumps(dict(value), sort_keys=True)
