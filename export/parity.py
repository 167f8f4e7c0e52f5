"""Whether an ONNX file gives the pictures that PyTorch gives."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from nst.export.check_photos import frames_at
from nst.export.form import GraphForm
from nst.export.graph import INPUT, OUTPUT
from nst.infer.engine.graph import required_knobs, silent_options
from nst.infer.engine.metadata import STATISTICS_INPUT, STRENGTH_INPUT
from nst.infer.styles import packaged_photo
from nst.models import StyleNet

SHAPES = (
    *((1, 64, 64), (1, 37, 53), (1, 16, 16), (1, 201, 17), (1, 240, 427)),
    *((3, 96, 128), (1, 1080, 1920)),
)
"""Batch, height, width: square, odd, smallest, not square, several at once, large."""
HALF_STRENGTH = 0.5
TOLERANCE_LEVELS = 1.0
"""Float arithmetic in another order moves a value across a rounding border, no further."""


class ParityError(Exception):
    """An exported file does not give the pictures that it should. One line."""


def largest_difference(net: StyleNet, model: Path, form: GraphForm) -> float:
    """Run network and file on a photo at several sizes.

    A file with a strength is run at half strength too; a file with statistics gets those it gave
    fed back: nothing may change.

    Args:
        net: in evaluation mode, on the CPU.
        model: file exported from it, in float32.
        form: that of its graph.
    Returns:
        The largest difference between two values of a result, in levels of 255.
    Raises:
        ParityError: if it is more than 1, or a size comes out wrong.
    """
    session = open_session(model)
    worst = 0.0
    for size, result, expected in results(session, net, form):
        levels = in_levels(result)
        if levels.shape != expected.shape:
            raise ParityError(f"{size} came out as {result.shape}")
        # A picture in bytes is compared with one in bytes.
        target = np.rint(expected) if result.dtype == np.uint8 else expected
        difference = float(np.abs(levels - target).max())
        if not difference <= TOLERANCE_LEVELS:
            raise ParityError(f"{size} differ by {difference:.3g}/255 from PyTorch")
        worst = max(worst, difference)
    return worst


def require_whole_pictures(session: onnxruntime.InferenceSession, form: GraphForm) -> None:
    """Run a graph whose pictures are not PyTorch's at every size.

    Raises:
        ParityError: if a size comes out wrong, or as values that are not finite.
    """
    photo = packaged_photo()
    for shape in shapes_of(form):
        frames = frames_at(photo, shape)
        inputs = feed(frames, form) | required_knobs(session)
        if form.strength:
            inputs[STRENGTH_INPUT] = np.array([HALF_STRENGTH], np.float32)
        for result in onnx_results(session, inputs):
            levels = in_levels(result)
            if levels.shape != frames.shape or not np.isfinite(levels).all():
                raise ParityError(f"{shape[2]}x{shape[1]} px do not come out as a whole picture")


def shapes_of(form: GraphForm) -> Sequence[tuple[int, int, int]]:
    """Batch, height and width of what a graph is run on."""
    return SHAPES if form.size is None else [(1, *form.size)]


def results(
    session: onnxruntime.InferenceSession, net: StyleNet, form: GraphForm
) -> Iterator[tuple[str, NDArray[Any], NDArray[np.float32]]]:
    """Sizes in words, what the file gives, and what PyTorch gives, in levels."""
    photo = packaged_photo()
    for shape in shapes_of(form):
        frames = frames_at(photo, shape)
        size = f"{shape[2]}x{shape[1]} px in a batch of {shape[0]}"
        for strength in (1.0, HALF_STRENGTH) if form.strength else (1.0,):
            expected = pytorch_result(net, frames, strength)
            inputs = feed(frames, form) | required_knobs(session)
            if strength < 1:
                inputs[STRENGTH_INPUT] = np.array([strength], np.float32)
            for result in onnx_results(session, inputs):
                yield size, result, expected


def open_session(model: Path | bytes) -> onnxruntime.InferenceSession:
    """A file, or what one would hold, on the CPU."""
    return onnxruntime.InferenceSession(model, silent_options(), providers=["CPUExecutionProvider"])


def feed(frames: NDArray[np.uint8], form: GraphForm) -> dict[str, NDArray[Any]]:
    """(N, H, W, 3), uint8, as the input that a graph takes."""
    if form.io == "uint8":
        return {INPUT: frames}
    return {INPUT: np.ascontiguousarray(frames.transpose(0, 3, 1, 2), np.float32) / np.float32(255)}


def in_levels(result: NDArray[Any]) -> NDArray[np.float32]:
    """What a session gives as (N, H, W, 3), 0 to 255."""
    if result.dtype == np.uint8:
        return result.astype(np.float32)
    return 255 * result.astype(np.float32).transpose(0, 2, 3, 1)


def onnx_results(
    session: onnxruntime.InferenceSession, inputs: dict[str, NDArray[Any]]
) -> Iterator[NDArray[Any]]:
    """Stylize a batch; one picture a second time with the statistics it gave, if it does."""
    stylized, *statistics = session.run(None, inputs)
    yield stylized
    if statistics and len(inputs[INPUT]) == 1:
        yield session.run([OUTPUT], inputs | {STATISTICS_INPUT: statistics[0]})[0]


def pytorch_result(
    net: StyleNet, frames: NDArray[np.uint8], strength: float
) -> NDArray[np.float32]:
    """Stylize (N, H, W, 3), RGB, without any of what an export does to the network. In levels.

    Raises:
        ParityError: if there are values that are not finite.
    """
    with torch.no_grad():
        stylized = net(
            torch.from_numpy(frames).permute(0, 3, 1, 2) / 255,
            torch.tensor(strength) if strength < 1 else None,
        )
    if not stylized.isfinite().all():
        raise ParityError("the network gives values that are not finite: its training diverged")
    levels: NDArray[np.float32] = stylized.clamp(0, 1).mul(255).permute(0, 2, 3, 1).numpy()
    return levels
