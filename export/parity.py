"""Whether an ONNX file gives the pictures that PyTorch gives."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from nst.export.graph import INPUT, OUTPUT
from nst.infer.graph import SILENT
from nst.infer.metadata import STATISTICS_INPUT
from nst.models import StyleNet

# Batch, height, width: square, odd, smallest, not square, several at once.
SHAPES = ((1, 64, 64), (1, 37, 53), (1, 16, 16), (1, 201, 17), (1, 240, 427), (3, 96, 128))
TOLERANCE_LEVELS = 1
"""Float arithmetic in another order moves a value across a rounding border, no further."""


class ParityError(Exception):
    """An exported file does not give PyTorch's pictures. One line."""


def largest_difference(net: StyleNet, model: Path) -> int:
    """Run network and file on the same pictures at several sizes.

    A file with statistics gets those it gave fed back: nothing may change.

    Args:
        net: in evaluation mode, on the CPU.
        model: file exported from it.
    Returns:
        The largest difference between two bytes of output, in levels of 255.
    Raises:
        ParityError: if it is more than 1, or a size comes out wrong.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT  # It warns of every optional input.
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    worst = 0
    for shape in SHAPES:
        frames = natural_frames(shape)
        expected = pytorch_result(net, frames)
        size = f"{shape[2]}x{shape[1]} px in a batch of {shape[0]}"
        for result in onnx_results(session, frames):
            if result.shape != frames.shape or expected.shape != frames.shape:
                shapes = f"{result.shape}, from PyTorch {expected.shape}"
                raise ParityError(f"{size} came out as {shapes}")
            difference = int(np.abs(result.astype(np.int16) - expected).max())
            if difference > TOLERANCE_LEVELS:
                raise ParityError(f"{size} differ by {difference}/255 from PyTorch")
            worst = max(worst, difference)
    return worst


def onnx_results(
    session: onnxruntime.InferenceSession, frames: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    """Stylize (N, H, W, 3); one picture a second time with the statistics it gave, if it does."""
    stylized, *statistics = session.run(None, {INPUT: frames})
    yield stylized
    if statistics and len(frames) == 1:
        yield session.run([OUTPUT], {INPUT: frames, STATISTICS_INPUT: statistics[0]})[0]


def pytorch_result(net: StyleNet, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stylize (N, H, W, 3), RGB, without any of what an export does to the network."""
    with torch.no_grad():
        stylized = net(torch.from_numpy(frames).permute(0, 3, 1, 2) / 255)
    levels: NDArray[np.uint8] = (
        stylized.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).numpy()
    )
    return levels


def natural_frames(shape: tuple[int, int, int], *, seed: int = 0) -> NDArray[np.uint8]:
    """Pictures with the falling spectrum of photos: noise at several scales.

    Args:
        shape: batch, height, width.
        seed: the same seed gives the same pictures.
    Returns:
        (N, H, W, 3), uint8, RGB.
    """
    batch, height, width = shape
    rng = np.random.default_rng(seed)
    total = np.zeros((batch, height, width, 3))
    for scale in (1, 4, 16, 64):
        rows, columns = -(-height // scale), -(-width // scale)
        noise = rng.normal(size=(batch, rows, columns, 3))
        total += scale**0.5 * noise.repeat(scale, 1).repeat(scale, 2)[:, :height, :width]
    return (128 + 8 * total).clip(0, 255).astype(np.uint8)
