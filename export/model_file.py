"""Writing a trained network as an ONNX file that has proven itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx

from nst.export.form import DEFAULT_FORM, GraphForm
from nst.export.graph import INPUT, OUTPUT, build_graph
from nst.export.layout import count_reorders
from nst.export.parity import largest_difference
from nst.export.precision_check import (
    LowerPrecision,
    PrecisionReport,
    lower_precision,
    photos_for,
)
from nst.infer.engine.metadata import BYTE_RANGE, UNIT_RANGE, ModelMetadata
from nst.infer.engine.model_card import weights_sha256
from nst.infer.errors import one_line
from nst.infer.files import atomic_write
from nst.infer.stylizer import Stylizer
from nst.models import TrainedNet, tier_of


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        path: the file.
        size_bytes: its size.
        opset: ONNX opset of the graph.
        difference_levels: largest difference of the graph in float32 from PyTorch's pictures, in
            levels of 255.
        reorders: changes of memory layout as onnxruntime runs the graph on a CPU.
        lower: how far the file is from float32, None if it is in float32.
    """

    path: Path
    size_bytes: int
    opset: int
    difference_levels: float
    reorders: int
    lower: PrecisionReport | None

    def summary(self) -> str:
        """One line for the terminal."""
        precision = "fp32" if self.lower is None else self.lower.summary()
        graph = "" if self.lower is None else "its fp32 graph: "
        return (
            f"{self.path}  {self.size_bytes / 1e6:.2f} MB  opset {self.opset}  {precision}  "
            f"{graph}largest difference from PyTorch {self.difference_levels:.2g}/255  "
            f"{self.reorders} changes of layout on the CPU"
        )


def export_onnx(
    trained: TrainedNet,
    path: Path,
    form: GraphForm = DEFAULT_FORM,
    *,
    lower: LowerPrecision | None = None,
) -> ExportReport:
    """Export a network, compare the file with PyTorch, and only then give it its name.

    Args:
        trained: from ``nst.models.load_trained_net``, or just trained.
        path: of the ONNX file; an existing one is replaced.
        form: what the graph takes and gives.
        lower: for fp16 and int8, of the arithmetic or the weights alone.
    Raises:
        ParityError: if the file does not give PyTorch's pictures, or in lower precision not those
            of float32. None is left.
        UserError: if it cannot be written, or the photos cannot be read.
        ValueError: if statistics are wanted of a network that has none.
    """
    # Before the long work: photos can be missing.
    lowering = None if lower is None else (lower, photos_for(lower, form))
    graph = build_graph(trained.net, form)
    with atomic_write(path) as unproven:
        onnx.save(graph, unproven)
        difference = largest_difference(trained.net, unproven, form)
        report = None
        if lowering is not None:
            graph, report = lower_precision(graph, form, *lowering, painting=trained.painting)
        sign(graph, metadata_of(trained, graph, form, lower or LowerPrecision()))
        unproven.write_bytes(graph.SerializeToString())
        Stylizer(unproven)  # the runtime takes it, metadata included
        reorders = count_reorders(unproven)
    size = path.stat().st_size
    return ExportReport(path, size, form.opset, difference, reorders, report)


def metadata_of(
    trained: TrainedNet, graph: onnx.ModelProto, form: GraphForm, lower: LowerPrecision
) -> ModelMetadata:
    """What a file says about itself."""
    in_bytes = form.io == "uint8"
    credit = trained.credit
    return ModelMetadata(
        style=trained.style,
        title=one_line(credit.get("title", "")),
        artist=one_line(credit.get("artist", "")),
        year=one_line(credit.get("year", "")),
        license=one_line(credit.get("license", "")),
        net=to_json(trained.net.architecture),
        tier=tier_of(trained.net.architecture),
        training=to_json(trained.training),
        type="uint8" if in_bytes else "float32",
        layout="NHWC" if in_bytes else "NCHW",
        color_order="RGB",
        value_range=BYTE_RANGE if in_bytes else UNIT_RANGE,
        size="any" if form.size is None else f"{form.size[0]}x{form.size[1]}",
        min_size_px=trained.net.min_size_px,
        precision=lower.precision,
        weights="" if lower.weights == "fp32" else lower.weights,
        opset=form.opset,
        weights_sha256=weights_sha256(graph),
        date=datetime.now(UTC).date().isoformat(),
        project_version=version("nst"),
    )


def sign(graph: onnx.ModelProto, metadata: ModelMetadata) -> None:
    """Write metadata into a graph, and mark its pictures as such for readers that look for it."""
    onnx.helper.set_model_props(graph, metadata.to_props())
    graph.producer_name, graph.producer_version = "nst", version("nst")
    axes = {"N": "DATA_BATCH", "C": "DATA_CHANNEL", "H": "DATA_FEATURE", "W": "DATA_FEATURE"}
    for port in (*graph.graph.input, *graph.graph.output):
        if port.name in (INPUT, OUTPUT):
            port.type.denotation = "IMAGE"
            dims = port.type.tensor_type.shape.dim
            for axis, dim in zip(metadata.layout, dims, strict=True):
                dim.denotation = axes[axis]


def to_json(value: Mapping[str, Any]) -> str:
    """One line of JSON, keys sorted."""
    return json.dumps(dict(value), sort_keys=True)
