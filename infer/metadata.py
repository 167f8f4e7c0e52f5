"""The metadata an exported model carries: the one home of its ``metadata_props`` keys."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, cast, get_args

from nst.infer.errors import UserError

ValueRange: TypeAlias = tuple[float, float]
Layout: TypeAlias = Literal["NHWC", "NCHW"]
ColorOrder: TypeAlias = Literal["RGB"]

BYTE_RANGE: ValueRange = (0.0, 255.0)
UNIT_RANGE: ValueRange = (0.0, 1.0)
VALUE_RANGES = {"0-255": BYTE_RANGE, "0-1": UNIT_RANGE}
"""Every range of pixel values that a model may use, by the name users give it."""

STATISTICS_INPUT = "fixed_statistics"
STATISTICS_OUTPUT = "statistics"
"""Names in a graph whose instance norms can be given their statistics."""

FORMAT = 1
PREFIX = "nst."


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """What a model says about itself.

    Args:
        style: name of the style.
        net: JSON of the architecture.
        training: JSON of the training options, "{}" if unknown.
        layout: order of the axes of input and output.
        color_order: order of the channels.
        value_range: lowest and highest pixel value, (0, 255) or (0, 1).
        min_size_px: smallest height and width the graph takes, >= 1.
        opset: ONNX opset of the graph, >= 1.
        project_version: version of nst that exported it.
    """

    style: str
    net: str
    training: str
    layout: Layout
    color_order: ColorOrder
    value_range: ValueRange
    min_size_px: int
    opset: int
    project_version: str

    def to_props(self) -> dict[str, str]:
        """The metadata as ONNX ``metadata_props``.

        Returns:
            One text per field, keyed "nst." and the field's name, and "nst.format".
        """
        props = {PREFIX + name: str(value) for name, value in asdict(self).items()}
        low, high = self.value_range
        props[PREFIX + "value_range"] = f"{low:g}-{high:g}"
        return {PREFIX + "format": str(FORMAT), **props}

    @classmethod
    def from_props(cls, props: Mapping[str, str]) -> "ModelMetadata | None":
        """Read the metadata back.

        Args:
            props: all ``metadata_props`` of a model; foreign keys are ignored.
        Returns:
            The metadata, or None for a model that is not from nst (no "nst.format").
        Raises:
            UserError: if the format is newer than this version knows, or a field is malformed.
        """
        if PREFIX + "format" not in props:
            return None
        if _whole_number(props, "format") > FORMAT:
            raise UserError("its metadata is newer than this version of nst: update nst")
        return cls(
            style=_text(props, "style"),
            net=_json(props, "net"),
            training=_json(props, "training"),
            layout=cast(Layout, _one_of(props, "layout", get_args(Layout))),
            color_order=cast(ColorOrder, _one_of(props, "color_order", get_args(ColorOrder))),
            value_range=VALUE_RANGES[_one_of(props, "value_range", tuple(VALUE_RANGES))],
            min_size_px=_whole_number(props, "min_size_px"),
            opset=_whole_number(props, "opset"),
            project_version=_text(props, "project_version"),
        )


def _malformed(name: str, expected: str) -> UserError:
    return UserError(
        f"its metadata {PREFIX}{name} is missing or malformed (expected {expected}): "
        "export the model again"
    )


def _text(props: Mapping[str, str], name: str) -> str:
    value = props.get(PREFIX + name)
    if not value:
        raise _malformed(name, "text")
    return value


def _json(props: Mapping[str, str], name: str) -> str:
    value = _text(props, name)
    try:
        json.loads(value)
    except ValueError as error:
        raise _malformed(name, "JSON") from error
    return value


def _whole_number(props: Mapping[str, str], name: str) -> int:
    value = props.get(PREFIX + name, "")
    if not value.isdecimal() or int(value) < 1:
        raise _malformed(name, "a whole number of at least 1")
    return int(value)


def _one_of(props: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = props.get(PREFIX + name)
    if value not in allowed:
        raise _malformed(name, " or ".join(allowed))
    return value
