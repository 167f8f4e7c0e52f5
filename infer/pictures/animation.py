"""Animated GIF, WebP and PNG, stylized frame by frame."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from PIL import Image

from nst.infer.pictures.images import Source, as_rgb, encode_image, format_of, reading
from nst.infer.pictures.photo import QUALITY_FORMATS
from nst.infer.pictures.pixel_limit import MAX_PIXELS

ANIMATED_FORMATS = frozenset({"GIF", "WEBP", "PNG"})
"""Formats whose animations are read and written."""

CLEAR = 2
"""What a GIF does with a frame before the next one: it clears the canvas."""


def stylize_animation(
    source: Source,
    path: Path,
    stylize: Callable[[Image.Image], Image.Image],
    *,
    quality: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> memoryview:
    """Stylize every frame of an animation; timing, loops and transparency are kept.

    Args:
        source: a file in one of ``ANIMATED_FORMATS``, or its content.
        path: its suffix names the format of the result, one of ``ANIMATED_FORMATS``.
        stylize: makes a picture of one of mode "RGB" or "RGBA", always of the same size.
        quality: 1 to 100, for WebP; None is 95.
        max_pixels: the most that a frame may have.
    Returns:
        The encoded animation. One frame is held at a time, as far as Pillow's writer allows: that
        of GIF holds all results with a byte per pixel, that of PNG whole.
    Raises:
        UserError: if a frame is damaged, or the format cannot hold the result.
    """
    with ExitStack() as stack:
        with reading(source, max_pixels):
            image = stack.enter_context(Image.open(source))
            frames = Frames(image, stylize, lambda: reading(source, max_pixels))
        frames.load()
        options = animation_options(frames, format_of(path))
        if quality is not None and format_of(path) in QUALITY_FORMATS:
            options["quality"] = quality
        return encode_image(frames, path, options)


def animation_options(frames: "Frames", target: str) -> dict[str, Any]:
    """What Pillow's ``save`` needs for all frames, with their timing, in a format."""
    options: dict[str, Any] = {"save_all": True, "duration": frames.durations_ms}
    if target == "GIF" and frames.mode == "RGBA":
        options["disposal"] = CLEAR  # or earlier frames would show where this one is transparent
    once = frames.loop is None or (frames.loop == 1 and frames.source_format != "GIF")
    if target != "GIF" or not once:  # a GIF that says nothing plays once
        options["loop"] = 1 if frames.loop is None else frames.loop
    return options


class Frames(Image.Image):
    """What Pillow's writers take for an animation: frames are stylized as they are asked for.

    Args:
        image: opened, with several frames.
        stylize: makes a picture of one, always of the same size.
        reading: what to decode a frame in, for its errors.
    Attributes:
        source_format: Pillow's name of the format of ``image``.
        durations_ms: how long each frame is shown, in milliseconds.
        loop: how often the animation is repeated, 0 for ever; None for a GIF that does not say.
        n_frames: how many there are.
    """

    def __init__(
        self,
        image: Image.Image,
        stylize: Callable[[Image.Image], Image.Image],
        reading: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__()
        self._image, self._stylize, self._reading = image, stylize, reading
        self._position, self._loaded = 0, -1
        self.source_format = image.format
        self.loop: int | None = image.info.get("loop")
        # The first picture of a PNG may be one for programs that know no animations.
        self._first = 1 if image.info.get("default_image") else 0
        self.n_frames: int = getattr(image, "n_frames", 1) - self._first
        self.durations_ms: list[float] = []
        self._mode = "RGB"
        for number in range(self.n_frames):
            image.seek(self._first + number)
            image.load()
            self.durations_ms.append(image.info.get("duration", 0))
            if is_see_through(image):
                self._mode = "RGBA"
        self._frame_size = image.size  # of a GIF it grows with its frames

    def seek(self, frame: int) -> None:
        """Choose the frame that ``load`` makes."""
        if not 0 <= frame < self.n_frames:
            raise EOFError(f"there is no frame {frame}")
        self._position = frame

    def tell(self) -> int:
        """Number of the chosen frame."""
        return self._position

    def load(self) -> Any:
        """Stylize the chosen frame; the first time the size is known only after this."""
        if self._loaded != self._position:
            with self._reading():
                self._image.seek(self._first + self._position)
                frame = as_rgb(self._image).crop((0, 0, *self._frame_size))
            stylized = self._stylize(frame).convert(self.mode)
            self.im, self._size = stylized.im, stylized.size
            self._loaded = self._position
        return super().load()


def is_see_through(image: Image.Image) -> bool:
    """Whether a pixel of a picture is not opaque."""
    if not image.has_transparency_data:
        return False
    return any(image.convert("RGBA").getchannel("A").histogram()[:255])
