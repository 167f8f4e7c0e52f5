"""The metadata an exported model carries: the one home of its ``metadata_props`` keys."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, cast, get_args

from nst.infer.errors import UserError

ValueRange: TypeAlias = tuple[float, float]
Layout: TypeAlias = Literal["NHWC", "NCHW"]
ColorOrder: TypeAlias = Literal["RGB"]
ElementType: TypeAlias = Literal["uint8", "float32"]
Precision: TypeAlias = Literal["fp32", "fp16", "int8"]
Weights: TypeAlias = Precision

BYTE_RANGE: ValueRange = (0.0, 255.0)
UNIT_RANGE: ValueRange = (0.0, 1.0)
VALUE_RANGES = {"0-255": BYTE_RANGE, "0-1": UNIT_RANGE}
"""Every range of pixel values that a model may use, by the name users give it."""

STRENGTH_INPUT = "strength"
"""Name of the optional input, float32 (1,), 0 to 1."""
STATISTICS_INPUT = "fixed_statistics"
STATISTICS_OUTPUT = "statistics"
"""Names in a graph whose instance norms can be given their statistics."""
KNOBS = (STRENGTH_INPUT, STATISTICS_INPUT)
"""Inputs that change how a picture is stylized."""
OWN_STATISTICS = -1.0
"""In place of a variance: the picture's own statistics count."""

NOMINAL_RANGES = {BYTE_RANGE: "NominalRange_0_255", UNIT_RANGE: "Normalized_0_1"}
"""The words of the ONNX specification for them."""
OPTIONAL = ("title", "artist", "year", "license", "tier", "weights")
"""Fields that a model may leave out."""

FORMAT = 1
PREFIX = "nst."


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """What a model says about itself.

    Args:
        style: name of the style.
        title: of the painting; "" here and in the next three where it is not known.
        artist: who painted it.
        year: when.
        license: under which the painting may be used.
        net: JSON of the architecture.
        tier: realtime, balanced or quality; "" for another network.
        training: JSON of the training's settings and last losses, "{}" if unknown.
        type: of the elements of input and output.
        layout: order of the axes of input and output.
        color_order: order of the channels.
        value_range: lowest and highest pixel value, (0, 255) or (0, 1).
        size: any, or the only height and width, such as 480x640.
        min_size_px: smallest height and width the graph takes, >= 1.
        precision: of the arithmetic.
        weights: in which they are stored; "" where that is the precision.
        opset: ONNX opset of the graph, >= 1.
        weights_sha256: of all constants of the graph, see ``nst.infer.engine.model_card``.
        date: of the export, YYYY-MM-DD.
        project_version: version of nst that exported it.
    """

    style: str
    title: str = ""
    artist: str = ""
    year: str = ""
    license: str = ""
    net: str
    tier: str = ""
    training: str
    type: ElementType
    layout: Layout
    color_order: ColorOrder
    value_range: ValueRange
    size: str
    min_size_px: int
    precision: Precision
    weights: str = ""
    opset: int
    weights_sha256: str
    date: str
    project_version: str

    def to_props(self) -> dict[str, str]:
        """The metadata as ONNX ``metadata_props``.

        Returns:
            One text per field that is known, keyed "nst." and the field's name, "nst.format", and
            the keys that ONNX itself has for images.
        """
        props = {PREFIX + name: str(value) for name, value in asdict(self).items() if value != ""}
        low, high = self.value_range
        props[PREFIX + "value_range"] = f"{low:g}-{high:g}"
        return {
            PREFIX + "format": str(FORMAT),
            **props,
            "Image.BitmapPixelFormat": "Rgb8",
            "Image.ColorSpaceGamma": "SRGB",
            "Image.NominalPixelRange": NOMINAL_RANGES[self.value_range],
        }

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
            **{name: _text(props, name) for name in OPTIONAL if PREFIX + name in props},
            net=_json(props, "net"),
            training=_json(props, "training"),
            type=cast(ElementType, _one_of(props, "type", get_args(ElementType))),
            layout=cast(Layout, _one_of(props, "layout", get_args(Layout))),
            color_order=cast(ColorOrder, _one_of(props, "color_order", get_args(ColorOrder))),
            value_range=VALUE_RANGES[_one_of(props, "value_range", tuple(VALUE_RANGES))],
            size=_matching(props, "size", r"any|[1-9]\d*x[1-9]\d*"),
            min_size_px=_whole_number(props, "min_size_px"),
            precision=cast(Precision, _one_of(props, "precision", get_args(Precision))),
            opset=_whole_number(props, "opset"),
            weights_sha256=_matching(props, "weights_sha256", r"[0-9a-f]{64}"),
            date=_matching(props, "date", r"\d{4}-\d\d-\d\d"),
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


def _matching(props: Mapping[str, str], name: str, pattern: str) -> str:
    value = _text(props, name)
    if not re.fullmatch(pattern, value, re.ASCII):
        raise _malformed(name, pattern)
    return value


def _json(props: Mapping[str, str], name: str) -> str:
    value = _text(props, name)
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        raise _malformed(name, "JSON") from error
    return value


def _whole_number(props: Mapping[str, str], name: str) -> int:
    value = props.get(PREFIX + name, "")
    if not re.fullmatch(r"[1-9]\d{0,8}", value, re.ASCII):
        raise _malformed(name, "a whole number of at least 1")
    return int(value)


def _one_of(props: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = props.get(PREFIX + name)
    if value not in allowed:
        raise _malformed(name, " or ".join(allowed))
    return value
