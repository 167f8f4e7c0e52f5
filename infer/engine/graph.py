"""An image-to-image ONNX graph opened with onnxruntime."""

import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nst.infer.engine.devices import choose_device
from nst.infer.engine.metadata import (
    OWN_STATISTICS,
    STATISTICS_INPUT,
    STATISTICS_OUTPUT,
    STRENGTH_INPUT,
    Layout,
)
from nst.infer.errors import UserError, one_line, os_error_reason
from nst.infer.files import require_file

if TYPE_CHECKING:
    import onnxruntime

SILENT = 4
"""The log severity at which onnxruntime prints nothing: its problems come as exceptions too."""

MODEL_PROTO_START = b"\x08"
"""How every serialised model begins: the tag of its first field, ``ir_version``."""

_LAYOUTS: dict[str, tuple[Layout, int]] = {
    "tensor(uint8)": ("NHWC", 3),
    "tensor(float)": ("NCHW", 1),
}
"""Layout and channel axis by type."""

_DAMAGED = "the file is damaged or incomplete, get it again"
_EXPECTED = "one input and one output, both uint8 (N, H, W, 3) or both float (N, 3, H, W)"


class ImageGraph:
    """One image in, one image out, in one of two layouts.

    Args:
        model: an ONNX file with one input and one output, both uint8 (N, H, W, 3) or both
            float32 (N, 3, H, W). The strength and the statistics of our own files do not count.
        threads: threads per operator, >= 1; None leaves it to onnxruntime.
        device: where it runs, see ``nst.infer.engine.devices``.
        content: what is run in place of what the file holds: the model with changes.
    Attributes:
        model: the file.
        layout: "NHWC" for uint8, "NCHW" for float32.
        fixed_height: the only height the graph takes, None if any.
        fixed_width: the only width the graph takes, None if any.
        props: the ``metadata_props`` of the model.
        has_strength: whether it takes the strength of the style.
        needs_statistics: whether it has to be fed statistics.
        input_name: of the picture.
    Raises:
        UserError: if the file is missing, damaged or no image-to-image model, or the device is
            not available.
    """

    def __init__(
        self,
        model: Path,
        *,
        threads: int | None = None,
        device: str = "cpu",
        content: bytes | None = None,
    ) -> None:
        self.model = model
        with _load_errors(model):
            self._session = _open_session(content or str(model), threads, device)
            outputs = self._session.get_outputs()
            inputs = [each for each in self._session.get_inputs() if not is_knob(each)]
            pictures = [output for output in outputs if output.name != STATISTICS_OUTPUT]
            self._required = required_knobs(self._session)
            self.needs_statistics = STATISTICS_INPUT in self._required
            optional = self._session.get_overridable_initializers()
            self.has_strength = STRENGTH_INPUT in self._required or any(
                each.name == STRENGTH_INPUT and is_knob(each) for each in optional
            )
            self.props: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        layout = _image_layout(inputs, pictures)
        if layout is None:
            raise UserError(
                f"{model} is not an image-to-image model: it has {_describe(inputs, 'input')} and "
                f"{_describe(outputs, 'output')}, not {_EXPECTED}"
            )
        self.layout: Layout = layout
        shape = inputs[0].shape
        height, width = (shape[1], shape[2]) if layout == "NHWC" else (shape[2], shape[3])
        self.fixed_height: int | None = height if isinstance(height, int) else None
        self.fixed_width: int | None = width if isinstance(width, int) else None
        self.input_name: str = inputs[0].name
        self._output_name: str = pictures[0].name

    def run(self, batch: NDArray[Any], *, strength: float = 1.0) -> NDArray[Any]:
        """Run the graph.

        Args:
            batch: uint8 (1, H, W, 3) or float32 (1, 3, H, W), as ``layout`` says.
            strength: 0 to 1; below 1 the graph must have one.
        Returns:
            The same shape and type.
        Raises:
            UserError: if onnxruntime fails, or the result has another shape.
        """
        with run_errors(self.model):
            inputs = {self.input_name: batch, **self._required}
            if strength < 1:
                inputs[STRENGTH_INPUT] = np.array([strength], np.float32)
            result: NDArray[Any] = self._session.run([self._output_name], inputs)[0]
        if result.shape != batch.shape:
            raise UserError(
                f"{self.model} is not an image-to-image model: "
                f"it turned the shape {batch.shape} into {result.shape}"
            )
        return result


def silent_options() -> "onnxruntime.SessionOptions":
    """Options of a session that prints nothing, not even about optional inputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    return options


def required_knobs(session: "onnxruntime.InferenceSession") -> dict[str, NDArray[np.float32]]:
    """What the knobs of a file without defaults are fed with: full strength, own statistics."""
    defaults = {STRENGTH_INPUT: 1.0, STATISTICS_INPUT: OWN_STATISTICS}
    return {
        each.name: np.full(each.shape, defaults[each.name], np.float32)
        for each in session.get_inputs()
        if is_knob(each)
    }


def is_knob(port: Any) -> bool:
    """Whether an input is the strength or the statistics of our own files."""
    if port.type != "tensor(float)":
        return False
    if port.name == STRENGTH_INPUT:
        return list(port.shape) == [1]
    return (
        port.name == STATISTICS_INPUT
        and len(port.shape) == 3
        and all(isinstance(side, int) for side in port.shape)
    )


def open_part(
    model: Path, content: bytes, outputs: Sequence[str], *, threads: int | None
) -> Callable[[Mapping[str, NDArray[Any]]], list[NDArray[Any]]]:
    """Make a part of a model into a function, on the CPU.

    Args:
        model: that it is a part of.
        content: the part, serialised.
        outputs: names of what the function returns, in order.
        threads: as for ``ImageGraph``.
    Returns:
        A function of a mapping that holds all inputs of the part, and may hold more. It raises
        UserError if onnxruntime fails.
    """
    with _load_errors(model):
        session = _open_session(content, threads, "cpu")
    inputs = [each.name for each in session.get_inputs()]

    def run(given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        with run_errors(model):
            results: list[NDArray[Any]] = session.run(
                list(outputs), {name: given[name] for name in inputs}
            )
        return results

    return run


def _open_session(
    model: str | bytes, threads: int | None, device: str
) -> "onnxruntime.InferenceSession":
    import onnxruntime

    choice = choose_device(device)
    options = silent_options()
    # Or a file named .ort is taken for another format, whose loader trusts its input.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if threads is not None:
        # More threads than cores only wait for each other.
        options.intra_op_num_threads = min(threads, os.cpu_count() or 1)
    if choice.plugin_devices:
        options.add_provider_for_devices(choice.plugin_devices, {})
    # By path where it can be: weights kept in a file beside the model are found from there.
    # Without the fallback, which would retry a model that cannot be loaded and print about it.
    session = onnxruntime.InferenceSession(
        model, options, choice.providers or None, enable_fallback=0
    )
    if choice.provider not in session.get_providers():
        # onnxruntime goes on with the CPU where the libraries of a provider cannot be loaded.
        raise UserError(f"the device {device} cannot be used: its libraries cannot be loaded")
    return session


@contextmanager
def _load_errors(model: Path) -> Iterator[None]:
    require_file(model)
    try:
        with model.open("rb") as file:
            start = file.read(len(MODEL_PROTO_START))
        str(model).encode()
    except OSError as error:
        raise UserError(f"cannot read {model}: {os_error_reason(error)}") from error
    except UnicodeEncodeError as error:
        raise UserError(f"cannot load {model}: its name is not valid text, rename it") from error
    try:
        yield
    except MemoryError as error:
        raise UserError(f"cannot load {model}: too large for the memory") from error
    except UnicodeDecodeError as error:
        raise UserError(f"cannot load {model}: {_DAMAGED}") from error
    except _onnxruntime_errors() as error:
        if start != MODEL_PROTO_START:
            raise UserError(f"cannot load {model}: it is not an ONNX model") from error
        damaged = type(error).__name__ == "InvalidProtobuf"
        reason = _DAMAGED if damaged else _short_reason(error)
        raise UserError(f"cannot load {model}: {reason}") from error


def _onnxruntime_errors() -> tuple[type[Exception], ...]:
    """Every exception of onnxruntime; they share no base class of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    members = vars(state).values()
    own = [each for each in members if isinstance(each, type) and issubclass(each, Exception)]
    return (*own, RuntimeError)


def _short_reason(error: Exception) -> str:
    """The message of onnxruntime without its codes and source lines, at most 200 characters."""
    if "xternal data" in str(error) or "xternal initializer" in str(error):
        return "it keeps weights in another file, which is missing, damaged or outside its folder"
    message = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", one_line(str(error)))
    message = re.sub(r"^Load model from .* failed:", "", message)
    message = re.sub(r"\S+\.(cc|h):\d+ [^)]*\)( const)? ", "", message)
    return textwrap.shorten(message, 200, placeholder=" ...")


@contextmanager
def run_errors(model: Path) -> Iterator[None]:
    """Turn what onnxruntime raises for a model into a ``UserError``."""
    try:
        yield
    except MemoryError as error:
        raise too_large_for_memory() from error
    except _onnxruntime_errors() as error:
        if "alloc" in str(error):
            raise too_large_for_memory() from error
        raise UserError(f"cannot run {model}: {_short_reason(error)}") from error


def too_large_for_memory() -> UserError:
    """The error for a picture that needs more memory than there is."""
    return UserError("the picture is too large for the memory: give a smaller one")


def _image_layout(inputs: list[Any], outputs: list[Any]) -> Layout | None:
    """The layout of a graph, None if it is not image to image."""
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type != outputs[0].type:
        return None
    layout, channel_axis = _LAYOUTS.get(inputs[0].type, (None, 0))
    shape, result_shape = inputs[0].shape, outputs[0].shape
    if len(shape) != 4 or shape[channel_axis] != 3:
        return None
    if isinstance(shape[0], int) and shape[0] != 1:
        return None
    # Exporters may leave the result's shape open; running the graph will tell.
    if result_shape and len(result_shape) != 4:
        return None
    return layout


def _describe(ports: list[Any], kind: str) -> str:
    """For instance "2 outputs [float (1, 3, h, w), float (1)]"."""
    shapes = [
        f"{port.type.removeprefix('tensor(').removesuffix(')')} "
        f"({', '.join('?' if size is None else str(size) for size in port.shape)})"
        for port in ports
    ]
    return f"{len(ports)} {kind}{'' if len(ports) == 1 else 's'} [{', '.join(shapes)}]"
