"""What an ONNX file says about itself, read without running anything.

The only place in the runtime that needs the package onnx.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from nst.infer.errors import UserError, os_error_reason
from nst.infer.files import require_file
from nst.infer.metadata import ModelMetadata

JSON_FIELDS = ("net", "training")


def read_card(path: Path) -> dict[str, Any]:
    """Read a model's metadata, inputs and outputs.

    Args:
        path: an ONNX file; it may come from anybody.
    Returns:
        JSON types: ``file``, ``size_bytes``, ``opset``, ``inputs`` and ``outputs`` (name, type,
        shape, optional), and, for a file from nst, all that ``ModelMetadata`` has and
        ``weights_intact``, whether the constants are those that were exported.
    Raises:
        UserError: if it cannot be read, is no ONNX file, or keeps weights outside its folder.
    """
    model = load_model(path)
    graph = model.graph
    defaults = {tensor.name for tensor in graph.initializer}
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    card: dict[str, Any] = {
        "file": str(path),
        "size_bytes": path.stat().st_size,
        "opset": versions[0] if versions else None,
        "inputs": [port(each) | {"optional": each.name in defaults} for each in graph.input],
        "outputs": [port(each) for each in graph.output],
    }
    try:
        metadata = ModelMetadata.from_props({each.key: each.value for each in model.metadata_props})
    except UserError as error:
        raise UserError(f"cannot describe {path}: {error}") from error
    if metadata is None:
        return card
    facts = {name: value for name, value in vars(metadata).items() if value != ""}
    for name in JSON_FIELDS:
        facts[name] = json.loads(facts[name])
    facts["value_range"] = list(metadata.value_range)
    return card | facts | {"weights_intact": weights_sha256(model) == metadata.weights_sha256}


def load_model(path: Path) -> Any:
    """Parse an ONNX file, without the weights that it may keep in others.

    Returns:
        An ``onnx.ModelProto``.
    Raises:
        UserError: if it cannot be read, is no ONNX file, or names files outside its folder.
    """
    import onnx
    from google.protobuf.message import DecodeError

    require_file(path)
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except OSError as error:
        raise UserError(f"cannot read {path}: {os_error_reason(error)}") from error
    except DecodeError as error:
        raise UserError(f"cannot read {path}: it is not an ONNX file, or damaged") from error
    if not model.HasField("graph") or not model.graph.node:
        raise UserError(f"cannot read {path}: it is not an ONNX file, or damaged")
    folder = path.resolve().parent
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            outside = not (folder / entry.value).resolve().is_relative_to(folder)
            if entry.key == "location" and outside:
                raise UserError(
                    f"cannot use {path}: it reads weights from outside its folder ({entry.value})"
                )
    return model


def port(value: Any) -> dict[str, Any]:
    """Name, type and shape of an input or output; None for an axis of any size."""
    import onnx

    tensor = value.type.tensor_type
    shape = [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
        for dim in tensor.shape.dim
    ]
    kind = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    return {"name": value.name, "type": kind, "shape": shape}


def weights_sha256(model: Any) -> str:
    """Hash of all constants: names, types, shapes and bytes of the initializers, by name.

    Args:
        model: an ``onnx.ModelProto`` that holds its weights itself.
    """
    import onnx

    digest = hashlib.sha256()
    for tensor in sorted(model.graph.initializer, key=lambda tensor: tensor.name):
        if tensor.external_data:
            continue
        array = onnx.numpy_helper.to_array(tensor)
        digest.update(f"{tensor.name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def as_text(card: dict[str, Any]) -> str:
    """A card as lines of a name and a value."""
    rows = []
    for name, value in card.items():
        if name in ("inputs", "outputs"):
            rows += [(name[:-1], port_text(each)) for each in value]
        elif isinstance(value, dict):
            rows += [(f"{name}.{key}", plain(each)) for key, each in value.items()]
        else:
            rows.append((name, plain(value)))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)


def port_text(each: dict[str, Any]) -> str:
    """For instance ``image: uint8 (batch, height, width, 3)``."""
    shape = ", ".join("?" if size is None else str(size) for size in each["shape"])
    return f"{each['name']}: {each['type']} ({shape}){', optional' * each.get('optional', False)}"


def plain(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
