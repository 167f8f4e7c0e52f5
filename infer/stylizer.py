"""Stylizing pictures with an exported network."""

import math
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nst.infer.errors import UserError
from nst.infer.graph import ImageGraph, too_large_for_memory
from nst.infer.images import as_rgb
from nst.infer.metadata import BYTE_RANGE, VALUE_RANGES, ModelMetadata, ValueRange
from nst.infer.value_range import measure_value_range

MIN_SIZE_PX = 16
"""Smallest side given to a graph that does not tell its own."""

STRIDE_PX = 4
"""Float graphs halve their input twice and give back its size only for multiples of this."""


class Stylizer:
    """A style that is loaded once and turns any number of pictures.

    Args:
        model: an ONNX file, exported by nst, uint8 (N, H, W, 3), or from elsewhere,
            float32 (N, 3, H, W). Colours are RGB.
        value_range: (0, 255) or (0, 1), for a float graph whose metadata does not tell it.
            None measures it.
        threads: threads per operator, >= 1; None leaves it to onnxruntime.
        device: ``cpu``, or another of ``nst.infer.devices.available_devices()``.
    Attributes:
        model: the file.
        metadata: what the model says about itself, None if it is not from nst.
        style: name of the style; the stem of the file if the metadata has none.
        value_range: lowest and highest pixel value of the graph.
        min_size_px: smallest side the graph takes. Smaller pictures are padded and cropped back.
    Raises:
        UserError: if the file cannot be used, or its value range cannot be told.
        ValueError: if ``value_range`` is not one of the two.
    """

    def __init__(
        self,
        model: Path,
        *,
        value_range: ValueRange | None = None,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        if value_range not in (None, *VALUE_RANGES.values()):
            raise ValueError(f"value_range must be (0, 255) or (0, 1), got {value_range}")
        self.model = model
        self._graph = ImageGraph(model, threads=threads, device=device)
        self.metadata = read_metadata(self._graph)
        self.style = self.metadata.style if self.metadata else model.stem
        self.min_size_px = self.metadata.min_size_px if self.metadata else MIN_SIZE_PX
        if self._graph.layout == "NHWC":
            self.value_range = BYTE_RANGE
        elif self.metadata:
            self.value_range = self.metadata.value_range
        else:
            self.value_range = value_range or measure_value_range(self._graph)

    @property
    def fixed_size(self) -> tuple[int | None, int | None]:
        """The only width and height that the model takes, None where any will do."""
        return self._graph.fixed_width, self._graph.fixed_height

    def __call__(
        self, frame_hwc_u8: NDArray[np.uint8], *, strength: float = 1.0
    ) -> NDArray[np.uint8]:
        """Stylize one frame.

        Args:
            frame_hwc_u8: (H, W, 3), RGB, any size from 1x1.
            strength: of the style, 0 to 1. A model without a strength gets its picture mixed with
                the frame.
        Returns:
            (H, W, 3), RGB, a new array.
        Raises:
            UserError: if the graph takes another size only, memory runs out, or running it fails.
            ValueError: if the frame has another shape or type, or the strength is out of range.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be from 0 to 1, got {strength}")
        if frame_hwc_u8.dtype != np.uint8 or frame_hwc_u8.ndim != 3 or frame_hwc_u8.shape[2] != 3:
            raise ValueError(
                f"a frame is uint8 (H, W, 3), got {frame_hwc_u8.dtype} {frame_hwc_u8.shape}"
            )
        height, width = frame_hwc_u8.shape[:2]
        try:
            inside = strength if self._graph.has_strength else 1.0
            if self._graph.layout == "NHWC":
                stylized = self._stylize_bytes(frame_hwc_u8, inside)
            else:
                stylized = self._stylize_floats(frame_hwc_u8, inside)
            stylized = stylized[:height, :width]
            if strength < inside:
                stylized = _mix(frame_hwc_u8, stylized, strength)
            return np.ascontiguousarray(stylized)
        except MemoryError as error:
            raise too_large_for_memory() from error

    def stylize_image(self, image: Image.Image, *, strength: float = 1.0) -> Image.Image:
        """Stylize one Pillow picture.

        Args:
            image: any mode and size from 1x1; transparency is kept as it is.
            strength: of the style, 0 to 1.
        Returns:
            The same size, mode "RGBA" if there is transparency, else "RGB".
        Raises:
            UserError: as calling the stylizer does.
        """
        image = image if image.mode in ("RGB", "RGBA") else as_rgb(image)
        stylized = Image.fromarray(self(np.asarray(image)[:, :, :3], strength=strength))
        if image.mode == "RGBA":
            stylized.putalpha(image.getchannel("A"))
        return stylized

    def _stylize_bytes(self, frame: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
        """(H, W, 3) to (H', W', 3), H' >= H and W' >= W, through a uint8 graph."""
        height, width = (max(self.min_size_px, side) for side in frame.shape[:2])
        self._refuse_other_size(frame, height, width)
        padded = _pad_axis(_pad_axis(frame, 0, height, "edge"), 1, width, "edge")
        batch = self._graph.run(  # (1, H', W', 3)
            np.ascontiguousarray(padded[None]), strength=strength
        )
        stylized: NDArray[np.uint8] = batch[0]
        return stylized

    def _stylize_floats(self, frame: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
        """(H, W, 3) to (H', W', 3), H' >= H and W' >= W, through a float32 graph."""
        height = self._padded_side(frame.shape[0], self._graph.fixed_height)
        width = self._padded_side(frame.shape[1], self._graph.fixed_width)
        self._refuse_other_size(frame, height, width)
        padded = _pad_axis(_pad_axis(frame, 0, height, "reflect"), 1, width, "reflect")
        scale = np.float32(self.value_range[1] / 255)
        batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
        batch *= scale  # (1, 3, H', W')
        stylized = self._graph.run(batch, strength=strength)[0]  # (3, H', W')
        if np.isnan(stylized).any():
            raise UserError(f"cannot use {self.model}: it gives values that are not numbers")
        pixels: NDArray[np.float32] = np.rint(stylized.clip(*self.value_range) / scale)
        return pixels.astype(np.uint8).transpose(1, 2, 0)

    def _padded_side(self, side: int, fixed: int | None) -> int:
        if side == fixed:
            return side
        return math.ceil(max(side, self.min_size_px) / STRIDE_PX) * STRIDE_PX

    def _refuse_other_size(self, frame: NDArray[np.uint8], height: int, width: int) -> None:
        fixed_height, fixed_width = self._graph.fixed_height, self._graph.fixed_width
        if height != (fixed_height or height) or width != (fixed_width or width):
            raise UserError(
                f"{self.model} takes only pictures of {fixed_width or 'any'}x"
                f"{fixed_height or 'any'} pixels (width x height), "
                f"this one is {frame.shape[1]}x{frame.shape[0]}: resize it"
            )


def _mix(
    photo: NDArray[np.uint8], stylized: NDArray[np.uint8], strength: float
) -> NDArray[np.uint8]:
    """Pixels of (H, W, 3) twice; strength 0 is the photo."""
    mixed = photo + np.float32(strength) * (stylized.astype(np.float32) - photo)
    return np.rint(mixed).astype(np.uint8)


def read_metadata(graph: ImageGraph) -> ModelMetadata | None:
    """What a graph says about itself, None if it is not from nst.

    Raises:
        UserError: if its metadata are malformed.
    """
    try:
        return ModelMetadata.from_props(graph.props)
    except UserError as error:
        raise UserError(f"cannot use {graph.model}: {error}") from error


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
