"""Frames of bytes through a graph, whatever it takes and gives."""

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst.infer.engine.graph import ImageGraph
from nst.infer.engine.metadata import BYTE_RANGE, ModelMetadata, ValueRange
from nst.infer.engine.value_range import measure_value_range
from nst.infer.errors import UserError

Frame: TypeAlias = NDArray[np.uint8]
"""(H, W, 3), RGB."""

MIN_SIZE_PX = 16
"""Smallest side given to a graph that does not tell its own."""

STRIDE_PX = 4
"""Other people's float graphs halve their input twice, and give back its size only for multiples of
this."""


class FrameForm:
    """How frames become the input of a graph, and its results frames.

    Args:
        graph: uint8 (N, H, W, 3) or float32 (N, 3, H, W), RGB.
        metadata: what the model says about itself, None if it is not from nst.
        value_range: of a float graph without metadata; None measures it.
    Attributes:
        value_range: lowest and highest pixel value of the graph.
        min_size_px: smallest side the graph takes. Smaller frames are padded.
        multiple_px: what sides have to be multiples of.
    Raises:
        UserError: if the value range cannot be told.
    """

    def __init__(
        self, graph: ImageGraph, metadata: ModelMetadata | None, value_range: ValueRange | None
    ) -> None:
        self.model = graph.model
        self.layout = graph.layout
        self.fixed_height, self.fixed_width = graph.fixed_height, graph.fixed_width
        self.min_size_px = metadata.min_size_px if metadata else MIN_SIZE_PX
        self.multiple_px = 1 if metadata else STRIDE_PX
        if graph.layout == "NHWC":
            self.value_range = BYTE_RANGE
        elif metadata:
            self.value_range = metadata.value_range
        else:
            self.value_range = value_range or measure_value_range(graph)

    def batch_of(self, frame: NDArray[np.uint8]) -> NDArray[Any]:
        """The input of the graph for a frame (H, W, 3), padded where it has to be.

        Raises:
            UserError: if the graph takes another size only.
        """
        return self._bytes_of(frame) if self.layout == "NHWC" else self._floats_of(frame)

    def frame_of(self, batch: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """What a graph made of a frame of some shape, a new array of that shape.

        Raises:
            UserError: if there are values that are not numbers.
        """
        height, width = shape[:2]
        if self.layout == "NHWC":
            return np.ascontiguousarray(batch[0, :height, :width], dtype=np.uint8)
        if np.isnan(batch).any():
            raise UserError(f"cannot use {self.model}: it gives values that are not numbers")
        scale = np.float32(self.value_range[1] / 255)
        pixels = np.rint(batch[0, :, :height, :width].clip(*self.value_range) / scale)
        return np.ascontiguousarray(pixels.astype(np.uint8).transpose(1, 2, 0))

    def _bytes_of(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = (max(self.min_size_px, side) for side in frame.shape[:2])
        self._refuse_other_size(frame, height, width)
        padded = _pad_axis(_pad_axis(frame, 0, height, "edge"), 1, width, "edge")
        return np.ascontiguousarray(padded[None])

    def _floats_of(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        height = self._padded_side(frame.shape[0], self.fixed_height)
        width = self._padded_side(frame.shape[1], self.fixed_width)
        self._refuse_other_size(frame, height, width)
        padded = _pad_axis(_pad_axis(frame, 0, height, "reflect"), 1, width, "reflect")
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
        batch *= np.float32(self.value_range[1] / 255)
        return batch

    def _padded_side(self, side: int, fixed: int | None) -> int:
        if side == fixed:
            return side
        return math.ceil(max(side, self.min_size_px) / self.multiple_px) * self.multiple_px

    def _refuse_other_size(self, frame: NDArray[np.uint8], height: int, width: int) -> None:
        if height != (self.fixed_height or height) or width != (self.fixed_width or width):
            raise UserError(
                f"{self.model} takes only pictures of {self.fixed_width or 'any'}x"
                f"{self.fixed_height or 'any'} pixels (width x height), "
                f"this one is {frame.shape[1]}x{frame.shape[0]}: resize it"
            )


def mix(
    photo: NDArray[np.uint8], stylized: NDArray[np.uint8], strength: float
) -> NDArray[np.uint8]:
    """Pixels of (H, W, 3) twice; strength 0 is the photo."""
    mixed = photo + np.float32(strength) * (stylized.astype(np.float32) - photo)
    return np.rint(mixed).astype(np.uint8)


def _pad_axis(
    frame: NDArray[np.uint8], axis: int, side: int, mode: Literal["edge", "reflect"]
) -> NDArray[np.uint8]:
    """Pad a frame (H, W, 3) at the end of one axis; reflection needs an axis that is longer."""
    extra = side - frame.shape[axis]
    if extra == 0:
        return frame
    widths = [(0, 0), (0, 0), (0, 0)]
    widths[axis] = (0, extra)
    return np.pad(frame, widths, mode if extra < frame.shape[axis] else "edge")
