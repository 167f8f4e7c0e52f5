from dataclasses import replace

import pytest

from nst.infer import ModelMetadata, UserError


def test_props_have_one_text_per_field(metadata: ModelMetadata) -> None:
    assert metadata.to_props() == {
        "nst.format": "1",
        "nst.style": "starry_night",
        "nst.net": '{"width": 32}',
        "nst.training": "{}",
        "nst.type": "uint8",
        "nst.layout": "NHWC",
        "nst.color_order": "RGB",
        "nst.value_range": "0-255",
        "nst.size": "any",
        "nst.min_size_px": "16",
        "nst.precision": "fp32",
        "nst.opset": "18",
        "nst.weights_sha256": "0" * 64,
        "nst.date": "2026-01-31",
        "nst.project_version": "0.1.0",
        "Image.BitmapPixelFormat": "Rgb8",
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": "NominalRange_0_255",
    }


def test_what_is_known_of_the_painting(metadata: ModelMetadata) -> None:
    known = replace(metadata, title="Waves", artist="A", year="1831", license="CC0", tier="quality")
    assert known.to_props()["nst.artist"] == "A"
    assert ModelMetadata.from_props(known.to_props()) == known


@pytest.mark.parametrize("value_range", [(0.0, 255.0), (0.0, 1.0)])
def test_props_read_back(metadata: ModelMetadata, value_range: tuple[float, float]) -> None:
    metadata = replace(metadata, layout="NCHW", value_range=value_range)
    assert ModelMetadata.from_props({"foreign": "key", **metadata.to_props()}) == metadata


def test_foreign_props_are_no_metadata() -> None:
    assert ModelMetadata.from_props({}) is None
    assert ModelMetadata.from_props({"style": "x", "nst.style": "y"}) is None


def test_newer_format_says_to_update(metadata: ModelMetadata) -> None:
    with pytest.raises(UserError, match="update nst"):
        ModelMetadata.from_props({**metadata.to_props(), "nst.format": "2"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nst.format", "one"),
        ("nst.format", "0"),
        ("nst.style", ""),
        ("nst.net", "{width"),
        ("nst.training", ""),
        ("nst.layout", "NWHC"),
        ("nst.color_order", "BGR"),
        ("nst.value_range", "0,255"),
        ("nst.type", "float16"),
        ("nst.size", "640"),
        ("nst.size", "0x640"),
        ("nst.precision", "fp8"),
        ("nst.weights_sha256", "abc"),
        ("nst.date", "yesterday"),
        ("nst.min_size_px", "-16"),
        ("nst.min_size_px", "16.0"),
        ("nst.opset", "\u00b2"),
        ("nst.project_version", ""),
    ],
)
def test_malformed_field_is_named(metadata: ModelMetadata, key: str, value: str) -> None:
    with pytest.raises(UserError, match=f"{key} is missing or malformed"):
        ModelMetadata.from_props({**metadata.to_props(), key: value})


def test_missing_field_is_named(metadata: ModelMetadata) -> None:
    fields = {key for key in metadata.to_props() if key.startswith("nst.")}
    for key in fields - {"nst.format"}:
        props = metadata.to_props()
        del props[key]
        with pytest.raises(UserError, match=f"{key} is missing or malformed"):
            ModelMetadata.from_props(props)
