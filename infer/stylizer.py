"""Stylizing pictures with an exported network."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from PIL import Image

from nst.infer.engine.devices import resolve_device
from nst.infer.engine.frames import Frame, FrameForm, mix
from nst.infer.engine.graph import ImageGraph, open_part, too_large_for_memory
from nst.infer.engine.metadata import VALUE_RANGES, ModelMetadata, ValueRange
from nst.infer.engine.style_graphs import GraphAt, StyleGraphs
from nst.infer.engine.tiling.tiles import WHOLE, Box, Tiling
from nst.infer.errors import UserError
from nst.infer.pictures.images import as_rgb
from nst.infer.styles import find_style

if TYPE_CHECKING:
    from nst.infer.engine.tiling.large import LargePictures, Plan

SMALL_PX = 1_000_000
"""Pictures up to this many pixels are run whole, unless a memory limit was set."""


class Stylizer:
    """A style that is loaded once and turns any number of pictures. Threads may share one.

    >>> stylizer = Stylizer("starry_night")
    >>> stylizer(np.zeros((48, 64, 3), np.uint8)).shape
    (48, 64, 3)
    >>> stylizer(Image.new("RGB", (64, 48)), strength=0.5).size
    (64, 48)

    Args:
        model: the name of a style, see ``nst.infer.find_style``, or an ONNX file, exported by nst,
            uint8 (N, H, W, 3), or from elsewhere, float32 (N, 3, H, W). Colours are RGB.
        value_range: (0, 255) or (0, 1), for a float graph whose metadata does not tell it.
            None measures it.
        threads: threads per operator, >= 1; None leaves it to onnxruntime.
        device: ``cpu``, another of ``nst.infer.engine.devices.available_devices()``, or ``auto``.
        max_memory: bytes that the network may take beside a picture and its result. Pictures that
            need more are run in tiles. None is what is free, at most 2 GB.
    Attributes:
        model: the file.
        device: where it runs; never ``auto``.
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
        model: Path | str,
        *,
        value_range: ValueRange | None = None,
        threads: int | None = None,
        device: str = "cpu",
        max_memory: int | None = None,
    ) -> None:
        if value_range not in (None, *VALUE_RANGES.values()):
            raise ValueError(f"value_range must be (0, 255) or (0, 1), got {value_range}")
        self.model = model if isinstance(model, Path) else find_style(model)
        self.device = device if device == "cpu" else resolve_device(device).device
        self.max_memory = max_memory
        self._graphs = StyleGraphs(self.model, threads=threads, device=self.device)
        self.metadata = read_metadata(self._graphs.full)
        self.style = self.metadata.style if self.metadata else self.model.stem
        self._form = FrameForm(self._graphs.full, self.metadata, value_range)
        self.value_range = self._form.value_range
        self.min_size_px = self._form.min_size_px

    @property
    def fixed_size(self) -> tuple[int | None, int | None]:
        """The only width and height that the model takes, None where any will do."""
        return self._form.fixed_width, self._form.fixed_height

    @overload
    def __call__(self, picture: Frame, *, strength: float = 1.0) -> Frame: ...

    @overload
    def __call__(self, picture: Image.Image, *, strength: float = 1.0) -> Image.Image: ...

    def __call__(
        self, picture: Frame | Image.Image, *, strength: float = 1.0
    ) -> Frame | Image.Image:
        """Stylize one frame, or one Pillow picture as ``stylize_image`` does.

        Args:
            picture: (H, W, 3), uint8, RGB, any size from 1x1; or a Pillow picture of any mode.
            strength: of the style, 0 to 1. A model without a strength gets its picture mixed with
                the frame.
        Returns:
            The same kind and size, new.
        Raises:
            UserError: if the graph takes another size only, memory runs out, or running it fails.
            TypeError: if the picture is neither.
            ValueError: if the frame has another shape or type, or the strength is out of range.
        """
        if isinstance(picture, Image.Image):
            return self.stylize_image(picture, strength=strength)
        _check_strength(strength)
        if not isinstance(picture, np.ndarray):
            raise TypeError(f"a picture is an array or a Pillow picture, not {picture!r}")
        if picture.size == 0:
            raise ValueError(f"a frame has pixels, got {picture.shape}")
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(f"a frame is uint8 (H, W, 3), got {picture.dtype} {picture.shape}")
        height, width = picture.shape[:2]
        plan = self._plan(width, height)
        if plan is None:
            return self._run_whole(picture, strength)
        stylized = np.empty_like(picture)

        def write(box: Box, part: Frame) -> None:
            stylized[box.top : box.bottom, box.left : box.right] = part

        def read(box: Box) -> Frame:
            return picture[box.top : box.bottom, box.left : box.right]

        self._paint_in_tiles(plan, (width, height), read, write, strength, None)
        return stylized

    def stylize_image(
        self,
        image: Image.Image,
        *,
        strength: float = 1.0,
        on_progress: Callable[[float], None] | None = None,
    ) -> Image.Image:
        """Stylize one Pillow picture.

        Args:
            image: any mode and size from 1x1; transparency is kept as it is.
            strength: of the style, 0 to 1.
            on_progress: is told the share of the work that is done, 0 to 1, after each tile of a
                picture that is run in tiles.
        Returns:
            The same size, mode "RGBA" if there is transparency, else "RGB".
        Raises:
            UserError: as calling the stylizer does.
        """
        _check_strength(strength)
        image = image if image.mode in ("RGB", "RGBA") else as_rgb(image)
        plan = self._plan(*image.size)
        if plan is None:
            stylized = Image.fromarray(self._run_whole(np.asarray(image)[:, :, :3], strength))
        else:
            stylized = Image.new("RGB", image.size)

            def write(box: Box, part: Frame) -> None:
                stylized.paste(Image.fromarray(np.ascontiguousarray(part)), (box.left, box.top))

            def read(box: Box) -> Frame:
                return np.asarray(image.crop(box))[:, :, :3]

            self._paint_in_tiles(plan, image.size, read, write, strength, on_progress)
        if image.mode == "RGBA":
            stylized.putalpha(image.getchannel("A"))
        return stylized

    def tiling(self, width: int, height: int) -> Tiling:
        """Into what a picture of this size is cut.

        Raises:
            UserError: if it cannot be run within the memory that there is.
        """
        plan = self._plan(width, height)
        return WHOLE if plan is None else plan.tiling

    def _run_whole(self, frame: Frame, strength: float) -> Frame:
        """One frame through the graph at once."""
        try:
            return self._run(self._graphs.at(strength), frame)
        except MemoryError as error:
            raise too_large_for_memory() from error

    def _run(self, style: GraphAt, frame: Frame) -> Frame:
        batch = style.graph.run(self._form.batch_of(frame), strength=style.fed)
        stylized = self._form.frame_of(batch, frame.shape)
        return stylized if style.mixed == 1 else mix(frame, stylized, style.mixed)

    def _plan(self, width: int, height: int) -> "Plan | None":
        """How to cut a picture; None to run it whole."""
        small = self.max_memory is None and width * height <= SMALL_PX
        if small or self.fixed_size != (None, None) or self._large is None:
            return None
        return self._large.plan(width, height, self.max_memory)

    @cached_property
    def _large(self) -> "LargePictures | None":
        """None for a model whose weights are kept in other files."""
        model = self._graphs.loaded
        if model is None:
            return None
        from nst.infer.engine.tiling.large import LargePictures
        from nst.infer.engine.tiling.surgery import bake_knobs

        ours = self.metadata is not None
        return LargePictures(bake_knobs(model, 1.0), str(self.model), ours=ours)

    def _paint_in_tiles(
        self,
        plan: "Plan",
        size: tuple[int, int],
        read: Callable[[Box], Frame],
        write: Callable[[Box, Frame], None],
        strength: float,
        on_progress: Callable[[float], None] | None,
    ) -> None:
        from nst.infer.engine.tiling.large import paint_in_tiles
        from nst.infer.engine.tiling.surgery import StagedGraph, bake_knobs

        assert self._graphs.loaded is not None
        style = self._graphs.at(strength)
        name = style.graph.input_name

        def open_style(content: bytes) -> Callable[[Frame], Frame]:
            folded = GraphAt(self._graphs.open(content), 1.0, style.mixed)
            return lambda frame: self._run(folded, frame)

        try:
            paint_in_tiles(
                StagedGraph(bake_knobs(self._graphs.loaded, strength)),
                plan,
                size,
                read=read,
                write=write,
                inputs_of=lambda frame: {name: self._form.batch_of(frame)},
                open_stage=lambda content, names: open_part(
                    self.model, content, names, threads=self._graphs.threads
                ),
                open_style=open_style,
                on_progress=on_progress,
            )
        except MemoryError as error:
            raise too_large_for_memory() from error


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be from 0 to 1, got {strength}")


def read_metadata(graph: ImageGraph) -> ModelMetadata | None:
    """What a graph says about itself, None if it is not from nst.

    Raises:
        UserError: if its metadata are malformed.
    """
    try:
        return ModelMetadata.from_props(graph.props)
    except UserError as error:
        raise UserError(f"cannot use {graph.model}: {error}") from error
