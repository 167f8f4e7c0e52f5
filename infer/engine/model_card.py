"""What an ONNX file says about itself, read without running anything.

The only place in the runtime that needs the package onnx.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nst.infer.engine.metadata import ModelMetadata
from nst.infer.errors import UserError, one_line, os_error_reason
from nst.infer.files import require_file

JSON_FIELDS = ("net", "training")


def read_card(path: Path) -> dict[str, Any]:
    """Read a model's metadata, inputs and outputs.

    Args:
        path: an ONNX file; it may come from anybody.
    Returns:
        JSON types: ``file``, ``size_bytes``, ``opset``, ``inputs`` and ``outputs`` (name, type,
        shape, optional), and, for a file from nst, all that ``ModelMetadata`` has and
        ``weights_match``, whether the constants are those that the metadata have the hash of.
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
        props = {as_str(each.key): as_str(each.value) for each in model.metadata_props}
        metadata = ModelMetadata.from_props(props)
    except UserError as error:
        raise UserError(f"cannot describe {path}: {error}") from error
    if metadata is None:
        return card
    facts = {name: value for name, value in vars(metadata).items() if value != ""}
    for name in JSON_FIELDS:
        facts[name] = json.loads(facts[name])
    facts["value_range"] = list(metadata.value_range)
    facts = {name: value for name, value in facts.items() if name not in card}
    return card | facts | {"weights_match": weights_match(model, metadata.weights_sha256)}


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
    if not path.is_file():
        raise UserError(f"cannot read {path}: it is not a regular file")
    try:
        model = onnx.load(path, format="protobuf", load_external_data=False)
    except OSError as error:
        raise UserError(f"cannot read {path}: {os_error_reason(error)}") from error
    except DecodeError as error:
        raise UserError(f"cannot read {path}: it is not an ONNX file, or damaged") from error
    if not model.HasField("graph") or not model.graph.node:
        raise UserError(f"cannot read {path}: it is not an ONNX file, or damaged")
    for tensor in tensors(model):
        for entry in tensor.external_data:
            if entry.key == "location" and not inside(path, entry.value):
                raise UserError(
                    f"cannot use {path}: it reads weights from outside its folder ({entry.value})"
                )
    return model


def inside(path: Path, location: str) -> bool:
    """Whether a location that a model names stays in the model's folder."""
    folder = path.resolve().parent
    try:
        return (folder / location).resolve().is_relative_to(folder)
    except (OSError, ValueError):
        return False


def tensors(message: Any) -> Iterator[Any]:
    """Every tensor of a message, wherever in it: graphs hold graphs, nodes and functions."""
    from onnx import TensorProto

    if isinstance(message, TensorProto):
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            for each in value if is_repeated(value) else [value]:
                yield from tensors(each)


def is_repeated(value: Any) -> bool:
    """Whether a field of a message holds several."""
    return not hasattr(value, "ListFields")


def as_str(text: str | bytes) -> str:
    """A text of a model; what is no UTF-8 comes as bytes."""
    return text if isinstance(text, str) else text.decode(errors="replace")


def port(value: Any) -> dict[str, Any]:
    """Name, type and shape of an input or output; None for an axis of any size."""
    from onnx import TensorProto

    tensor = value.type.tensor_type
    shape = [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
        for dim in tensor.shape.dim
    ]
    kinds = {number: name.lower() for name, number in TensorProto.DataType.items()}
    return {"name": value.name, "type": kinds.get(tensor.elem_type, "unknown"), "shape": shape}


def weights_match(model: Any, sha256: str) -> bool:
    """Whether a model holds all its constants itself, and they have this hash."""
    if any(tensor.external_data for tensor in model.graph.initializer):
        return False
    try:
        return weights_sha256(model) == sha256
    except (KeyError, TypeError, ValueError):  # what onnx raises for tensors that are wrong
        return False


def weights_sha256(model: Any) -> str:
    """Hash of a model's initializers, by name: names, types, shapes and bytes.

    Args:
        model: an ``onnx.ModelProto`` that holds its weights itself.
    """
    import onnx

    digest = hashlib.sha256()
    for tensor in sorted(model.graph.initializer, key=lambda tensor: tensor.name):
        array = onnx.numpy_helper.to_array(tensor)
        digest.update(f"{tensor.name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def printed(facts: dict[str, Any], *, as_json: bool) -> str:
    """Facts for the terminal, or for a program."""
    return json.dumps(facts, indent=2) if as_json else as_text(facts)


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
    # Whoever wrote the file chose these texts: none may look like a line of its own.
    safe = [(one_line(name), one_line(value)) for name, value in rows]
    width = max(len(name) for name, _ in safe)
    return "\n".join(f"{name:{width}}  {value}" for name, value in safe)


def port_text(each: dict[str, Any]) -> str:
    """For instance ``image: uint8 (batch, height, width, 3)``."""
    shape = ", ".join("?" if size is None else str(size) for size in each["shape"])
    return f"{each['name']}: {each['type']} ({shape}){', optional' * each.get('optional', False)}"


def plain(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
