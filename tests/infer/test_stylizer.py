import doctest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image

import nst.infer.stylizer
from nst.infer import ModelMetadata, Stylizer, UserError

SaveGraph = Callable[..., Path]
SIZES = [(1, 1), (1, 40), (15, 16), (16, 16), (17, 19), (30, 41), (64, 64)]


def noise(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def size_sensitive(save_graph: SaveGraph, shape: tuple[int | str, ...]) -> Path:
    """y = x, but only for sides that are multiples of 4: it halves and doubles twice."""
    nodes = [
        helper.make_node("SpaceToDepth", ["x"], ["deep"], blocksize=4),
        helper.make_node("DepthToSpace", ["deep"], ["y"], blocksize=4),
    ]
    return save_graph("strided.onnx", nodes, inputs=[("x", shape)], outputs=[("y", shape)])


@pytest.mark.parametrize("size", SIZES)
def test_bytes_of_any_size(invert_bytes: Path, size: tuple[int, int]) -> None:
    frame = noise(*size)
    stylized = Stylizer(invert_bytes)(frame)
    assert stylized.dtype == np.uint8
    np.testing.assert_array_equal(stylized, 255 - frame)


@pytest.mark.parametrize("size", SIZES)
def test_float_0_255_of_any_size(invert_255: Path, size: tuple[int, int]) -> None:
    stylizer = Stylizer(invert_255)
    assert stylizer.value_range == (0.0, 255.0)
    np.testing.assert_array_equal(stylizer(noise(*size)), 255 - noise(*size))


@pytest.mark.parametrize("size", SIZES)
def test_float_0_1_of_any_size(invert_1: Path, size: tuple[int, int]) -> None:
    stylizer = Stylizer(invert_1)
    assert stylizer.value_range == (0.0, 1.0)
    np.testing.assert_array_equal(stylizer(noise(*size)), 255 - noise(*size))


@pytest.mark.parametrize("size", SIZES)
def test_float_sides_are_padded_to_multiples_of_4(
    save_graph: SaveGraph, size: tuple[int, int]
) -> None:
    stylizer = Stylizer(size_sensitive(save_graph, ("n", 3, "h", "w")))
    np.testing.assert_array_equal(stylizer(noise(*size)), noise(*size))


def peak_model(
    save_graph: SaveGraph, elem_type: int, axes: list[int], props: dict[str, str] | None = None
) -> Path:
    """Each pixel becomes its picture's maximum, so that what was padded shows."""
    shape = ("n", 3, "h", "w") if elem_type == TensorProto.FLOAT else ("n", "h", "w", 3)
    nodes = [
        helper.make_node("ReduceMax", ["x", "axes"], ["peak"]),
        helper.make_node("Max", ["x", "peak"], ["y"]),
    ]
    ports = {"inputs": [("x", shape)], "outputs": [("y", shape)]}
    constants = {"axes": np.array(axes)}
    return save_graph(
        "peak.onnx", nodes, elem_type=elem_type, constants=constants, props=props, **ports
    )


def test_padding_adds_no_new_colour(save_graph: SaveGraph, metadata: ModelMetadata) -> None:
    frame = np.full((3, 18, 3), 40, np.uint8)
    as_float = Stylizer(peak_model(save_graph, TensorProto.FLOAT, [2, 3]))
    np.testing.assert_array_equal(as_float(frame), frame)
    as_bytes = Stylizer(peak_model(save_graph, TensorProto.UINT8, [1, 2], metadata.to_props()))
    np.testing.assert_array_equal(as_bytes(frame), frame)


def shift_left(save_graph: SaveGraph, pixels: int) -> Path:
    """Each pixel becomes the one that is so many to its right, or black."""
    nodes = [helper.make_node("Pad", ["x", "pads"], ["y"])]
    constants = {"pads": np.array([0, 0, 0, -pixels, 0, 0, 0, pixels])}
    return save_graph("shift.onnx", nodes, constants=constants)


def test_float_padding_is_a_reflection_where_the_size_allows(save_graph: SaveGraph) -> None:
    stylizer = Stylizer(shift_left(save_graph, 2), value_range=(0, 255))
    frame = noise(16, 18)
    np.testing.assert_array_equal(stylizer(frame)[:, -2:], frame[:, [-2, -3]])
    narrow = noise(16, 2)
    np.testing.assert_array_equal(stylizer(narrow), narrow[:, [-1, -1]])


def test_float_output_is_clipped_and_rounded(save_graph: SaveGraph) -> None:
    nodes = [
        helper.make_node("Mul", ["x", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["y"]),
    ]
    constants = {"scale": np.float32(2), "offset": np.float32(-99.6)}
    stylizer = Stylizer(save_graph("a.onnx", nodes, constants=constants), value_range=(0, 255))
    frame = np.repeat(np.array([0, 49, 50, 100, 177, 178, 255], np.uint8)[None, :, None], 3, axis=2)
    assert stylizer(frame)[0, :, 0].tolist() == [0, 0, 0, 100, 254, 255, 255]


def test_values_that_are_not_numbers_are_refused(save_graph: SaveGraph) -> None:
    nodes = [helper.make_node("Sqrt", ["x"], ["root"]), helper.make_node("Log", ["n"], ["nan"])]
    nodes.append(helper.make_node("Add", ["root", "nan"], ["y"]))
    model = save_graph("a.onnx", nodes, constants={"n": np.float32(-1)})
    with pytest.raises(UserError, match="not numbers"):
        Stylizer(model, value_range=(0, 255))(noise(16, 16))


def test_metadata_tells_style_range_and_size(invert_bytes: Path, metadata: ModelMetadata) -> None:
    stylizer = Stylizer(invert_bytes)
    assert stylizer.metadata == metadata
    assert stylizer.style == "starry_night"
    assert stylizer.value_range == (0.0, 255.0)
    assert stylizer.min_size_px == 16


def test_foreign_model_is_named_after_its_file(invert_255: Path) -> None:
    stylizer = Stylizer(invert_255)
    assert stylizer.metadata is None
    assert stylizer.style == "invert_255"


def test_metadata_goes_before_the_argument(save_graph: SaveGraph, metadata: ModelMetadata) -> None:
    metadata = replace(metadata, layout="NCHW", value_range=(0.0, 1.0), min_size_px=18)
    nodes = [helper.make_node("Sub", ["one", "x"], ["y"])]
    model = save_graph("a.onnx", nodes, constants={"one": np.float32(1)}, props=metadata.to_props())
    stylizer = Stylizer(model, value_range=(0, 255))
    assert stylizer.value_range == (0.0, 1.0)
    np.testing.assert_array_equal(stylizer(noise(5, 17)), 255 - noise(5, 17))


def test_small_bytes_are_padded_to_the_size_the_metadata_tells(
    save_graph: SaveGraph, metadata: ModelMetadata
) -> None:
    shape = (1, 24, 24, 3)  # takes nothing but the padded size
    model = save_graph(
        "a.onnx",
        [helper.make_node("BitwiseNot", ["x"], ["y"])],
        elem_type=TensorProto.UINT8,
        inputs=[("x", shape)],
        outputs=[("y", shape)],
        props=replace(metadata, min_size_px=24).to_props(),
    )
    np.testing.assert_array_equal(Stylizer(model)(noise(3, 20)), 255 - noise(3, 20))
    with pytest.raises(UserError, match=r"only pictures of 24x24 .* this one is 25x3"):
        Stylizer(model)(noise(3, 25))


def test_bad_metadata_names_the_model(save_graph: SaveGraph, metadata: ModelMetadata) -> None:
    props = {**metadata.to_props(), "nst.format": "2"}
    model = save_graph("a.onnx", [helper.make_node("Abs", ["x"], ["y"])], props=props)
    with pytest.raises(UserError, match=r"cannot use .*a\.onnx: .*update nst"):
        Stylizer(model)


def test_argument_settles_an_unclear_range(save_graph: SaveGraph) -> None:
    nodes = [helper.make_node("Sub", ["one", "x"], ["y"])]
    model = save_graph("a.onnx", nodes, constants={"one": np.float32(1)})
    with pytest.raises(UserError, match="cannot tell"):
        Stylizer(model)
    stylizer = Stylizer(model, value_range=(0, 1))
    np.testing.assert_array_equal(stylizer(noise(20, 20)), 255 - noise(20, 20))


def test_fixed_size_takes_what_pads_to_it(save_graph: SaveGraph) -> None:
    stylizer = Stylizer(size_sensitive(save_graph, (1, 3, 20, 32)))
    for size in ((20, 32), (18, 29)):
        np.testing.assert_array_equal(stylizer(noise(*size)), noise(*size))
    for size in ((20, 33), (16, 32), (32, 20)):
        with pytest.raises(UserError, match=f"32x20 .* this one is {size[1]}x{size[0]}"):
            stylizer(noise(*size))


def test_fixed_size_that_is_no_multiple_of_4(save_graph: SaveGraph) -> None:
    shape = (1, 3, "h", 30)
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    model = save_graph("a.onnx", nodes, inputs=[("x", shape)], outputs=[("y", shape)])
    stylizer = Stylizer(model)
    np.testing.assert_array_equal(stylizer(noise(19, 30)), noise(19, 30))
    with pytest.raises(UserError, match="30xany"):
        stylizer(noise(19, 31))


def test_views_are_taken(invert_255: Path, invert_bytes: Path) -> None:
    view = noise(40, 60, 4)[::-1, ::2, 2::-1]
    for model in (invert_255, invert_bytes):
        np.testing.assert_array_equal(Stylizer(model)(view), 255 - view)


@pytest.mark.parametrize("model", ["invert_bytes", "invert_255", "invert_1"])
def test_strength_mixes_pixels_where_the_model_has_none(
    model: str, request: pytest.FixtureRequest
) -> None:
    stylizer = Stylizer(request.getfixturevalue(model))
    frame = noise(20, 24)
    expected = np.rint(0.25 * (255.0 - frame) + 0.75 * frame)
    assert np.abs(stylizer(frame, strength=0.25) - expected).max() <= 1
    np.testing.assert_array_equal(stylizer(frame, strength=0), frame)


@pytest.mark.parametrize("defaults", [True, False])
def test_the_strength_of_a_model_counts(
    defaults: bool, save_graph: SaveGraph, metadata: ModelMetadata
) -> None:
    """y = strength² * x, without a strength as an input with and without a default."""
    nodes = [
        helper.make_node("Mul", ["strength", "strength"], ["square"]),
        helper.make_node("Mul", ["x", "square"], ["y"]),
    ]
    path = save_graph(
        "strong.onnx",
        nodes,
        inputs=[("x", ("n", 3, "h", "w")), ("strength", (1,))],
        constants={"strength": np.ones(1, np.float32)} if defaults else {},
        props=replace(metadata, layout="NCHW").to_props(),
    )
    stylizer, frame = Stylizer(path), noise(20, 24)
    np.testing.assert_array_equal(stylizer(frame), frame)
    np.testing.assert_array_equal(stylizer(frame, strength=0.5), np.rint(frame / 4))
    image = stylizer.stylize_image(Image.fromarray(frame), strength=0.5)
    np.testing.assert_array_equal(np.asarray(image), np.rint(frame / 4))


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_out_of_range(strength: float, invert_255: Path) -> None:
    with pytest.raises(ValueError, match="strength must be from 0 to 1"):
        Stylizer(invert_255)(noise(20, 20), strength=strength)


def test_result_is_a_new_array(save_graph: SaveGraph) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    frame = noise(16, 16)
    stylized = Stylizer(save_graph("same.onnx", nodes))(frame)
    assert stylized.flags.c_contiguous
    assert not np.shares_memory(stylized, frame)


def test_what_is_no_picture_is_a_bug_of_the_caller(invert_bytes: Path) -> None:
    stylizer = Stylizer(invert_bytes)
    with pytest.raises(TypeError, match=r"not 'photo\.jpg'"):
        stylizer("photo.jpg")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="a frame has pixels"):
        stylizer(np.zeros((0, 4, 3), np.uint8))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
    ],
)
def test_other_frames_are_a_bug_of_the_caller(invert_bytes: Path, frame: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"a frame is uint8 \(H, W, 3\)"):
        Stylizer(invert_bytes)(frame)


def test_other_value_range_is_a_bug_of_the_caller(invert_255: Path) -> None:
    with pytest.raises(ValueError, match="value_range must be"):
        Stylizer(invert_255, value_range=(-1, 1))


def test_running_out_of_memory_is_told(invert_255: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stylizer = Stylizer(invert_255)

    def fail(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "pad", fail)
    with pytest.raises(UserError, match="too large for the memory"):
        stylizer(noise(5, 5))


def test_image_keeps_its_alpha(invert_bytes: Path) -> None:
    frame = noise(9, 21, 4)
    stylized = Stylizer(invert_bytes).stylize_image(Image.fromarray(frame))
    assert stylized.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(stylized)[..., 3], frame[..., 3])
    np.testing.assert_array_equal(np.asarray(stylized)[..., :3], 255 - frame[..., :3])


def test_image_without_alpha_has_none_after(invert_bytes: Path) -> None:
    stylized = Stylizer(invert_bytes).stylize_image(Image.new("RGB", (3, 2), (1, 2, 3)))
    assert (stylized.mode, stylized.size) == ("RGB", (3, 2))
    assert stylized.getpixel((0, 0)) == (254, 253, 252)


def test_image_of_another_mode_is_converted(invert_bytes: Path) -> None:
    stylized = Stylizer(invert_bytes).stylize_image(Image.new("L", (3, 2), 55))
    assert stylized.getpixel((0, 0)) == (200, 200, 200)


def test_the_example_in_the_docstring() -> None:
    results = doctest.testmod(nst.infer.stylizer)
    assert results.attempted >= 3
    assert results.failed == 0


def test_pillow_pictures_too(invert_bytes: Path) -> None:
    result = Stylizer(invert_bytes)(Image.new("RGBA", (20, 17), (1, 2, 3, 40)))
    assert (result.mode, result.size) == ("RGBA", (20, 17))
    assert result.getpixel((3, 3)) == (254, 253, 252, 40)


def test_a_style_by_name() -> None:
    assert Stylizer("Starry-Night").style == "starry_night"
    with pytest.raises(UserError, match="did you mean starry_night"):
        Stylizer("starry_knight")


def test_our_float_files_get_every_size(save_graph: SaveGraph, metadata: ModelMetadata) -> None:
    """They give back any size; other people's are padded to a multiple of four."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=1),
        helper.make_node("Sub", ["x", "x"], ["nothing"]),
        helper.make_node("Add", ["nothing", "mean"], ["y"]),
    ]
    props = metadata.to_props() | {"nst.layout": "NCHW", "nst.value_range": "0-255"}
    frame = np.zeros((18, 17, 3), np.uint8)
    frame[-1] = 250
    ours = Stylizer(save_graph("ours.onnx", nodes, props=props))
    theirs = Stylizer(save_graph("theirs.onnx", nodes), value_range=(0, 255))
    assert abs(int(ours(frame)[0, 0, 0]) - frame.mean()) < 1
    assert abs(int(theirs(frame)[0, 0, 0]) - frame.mean()) > 1.5
