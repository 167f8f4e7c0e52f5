from dataclasses import replace

import pytest

from nst.infer import ModelMetadata, UserError


def test_props_have_one_text_per_field(metadata: ModelMetadata) -> None:
    assert metadata.to_props() == {
        "nst.format": "1",
        "nst.style": "starry_night",
        "nst.net": '{"width": 32}',
        "nst.training": "{}",
        "nst.layout": "NHWC",
        "nst.color_order": "RGB",
        "nst.value_range": "0-255",
        "nst.min_size_px": "16",
        "nst.opset": "18",
        "nst.project_version": "0.1.0",
    }


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
    for key in metadata.to_props().keys() - {"nst.format"}:
        props = metadata.to_props()
        del props[key]
        with pytest.raises(UserError, match=f"{key} is missing or malformed"):
            ModelMetadata.from_props(props)
