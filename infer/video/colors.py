"""Between the colours of a video and RGB, and back the same way."""

from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from PIL import Image

from nst.infer.engine.frames import Frame
from nst.infer.errors import UserError

UNSPECIFIED = 2
RGB, BT709, BT601 = 0, 1, 5
MATRICES = {BT709: 1, 4: 4, BT601: 5, 6: 5, 7: 7, 9: 9}
"""Of YUV: ffmpeg's number in tags, and that of the same matrix in its converter."""

HD_LINES = 720
"""From here up what is not tagged is BT.709, as players take it, and BT.601 below."""

HDR_TRANSFERS = {16: "PQ", 18: "HLG"}

# Without them the converter rounds down: each frame would be darker by one level.
EXACT = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
AS_LARGE = Interpolation.BILINEAR | EXACT
RESIZED = Interpolation.LANCZOS | EXACT


class ColorTags(NamedTuple):
    """What a video says about its colours, in ffmpeg's numbers."""

    matrix: int
    primaries: int
    transfer: int
    range: int

    @property
    def is_full_range(self) -> bool:
        """Whether black is 0 and white 255, rather than 16 and 235."""
        return self.range == ColorRange.JPEG


def read_tags(frame: Any, name: str) -> ColorTags:
    """The tags that the result has, too.

    Args:
        frame: decoded, of PyAV.
        name: of the clip, for messages.
    Raises:
        UserError: if colours are of a kind that 8 bits or the converter do not hold.
    """
    if frame.color_trc in HDR_TRANSFERS:
        kind = HDR_TRANSFERS[frame.color_trc]
        raise UserError(
            f"cannot read {name}: it is HDR ({kind}), convert it to SDR first, for instance with "
            "ffmpeg -vf zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable,"
            "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
        )
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    tags = ColorTags(
        frame.colorspace,
        frame.color_primaries,
        frame.color_trc,
        int(ColorRange.JPEG if full else frame.color_range),
    )
    if frame.format.is_rgb or tags.matrix == RGB or "pal" in frame.format.name:
        return tags._replace(matrix=UNSPECIFIED, range=int(ColorRange.MPEG))
    if tags.matrix not in (*MATRICES, UNSPECIFIED):
        raise UserError(f"cannot read {name}: its colour matrix (number {tags.matrix}) is unknown")
    return tags


def matrix_for(tags: ColorTags, lines: int) -> int:
    """The matrix in the numbers of the converter.

    Args:
        tags: of the video.
        lines: height of the video.
    """
    guessed = BT709 if lines >= HD_LINES else BT601
    return MATRICES[guessed if tags.matrix == UNSPECIFIED else tags.matrix]


class ToRgb:
    """Turns decoded frames to RGB.

    Args:
        tags: of the video.
        size: width and height of the result.
    """

    def __init__(self, tags: ColorTags, size: tuple[int, int]) -> None:
        self._tags, self._size = tags, size
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Any) -> Frame:
        """(H, W, 3) for a frame of PyAV of any size and format."""
        width, height = self._size
        planes = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="gbrp",
            src_colorspace=matrix_for(self._tags, frame.height),
            src_color_range=_range(self._tags),
            dst_color_range=ColorRange.JPEG,
            interpolation=AS_LARGE if (frame.width, frame.height) == self._size else RESIZED,
            threads=1,
        )
        green, blue, red = (_pixels(plane) for plane in planes.planes)
        return np.asarray(cv2.merge((red, green, blue)), np.uint8)


class FromRgb:
    """Turns RGB to frames for an encoder.

    Args:
        tags: of the result.
        form: ffmpeg's name of the pixels of the result, such as "yuv420p".
    """

    def __init__(self, tags: ColorTags, form: str) -> None:
        self._tags, self._form = tags, form
        self._reformatter = VideoReformatter()

    def __call__(self, pixels: Frame) -> Any:
        """A frame of PyAV for (H, W, 3)."""
        rgb = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), "rgb24")
        return self._reformatter.reformat(
            rgb,
            format=self._form,
            src_color_range=ColorRange.JPEG,
            dst_colorspace=matrix_for(self._tags, len(pixels)),
            dst_color_range=_range(self._tags),
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )


class ToPalette:
    """Turns RGB to frames with 256 colours of their own, for the encoder of GIF."""

    def __call__(self, pixels: Frame) -> Any:
        """A frame of PyAV for (H, W, 3)."""
        # The other methods take longer than the network.
        indexed = Image.fromarray(pixels).quantize(method=Image.Quantize.FASTOCTREE)
        colors = np.frombuffer(bytes(indexed.getpalette() or ()), np.uint8).reshape(-1, 3)
        palette = np.full((256, 4), 255, np.uint8)  # alpha comes first
        palette[: len(colors), 1:] = colors
        planes: Any = np.asarray(indexed), palette
        return av.VideoFrame.from_ndarray(planes, "pal8")


def _range(tags: ColorTags) -> ColorRange:
    return ColorRange.JPEG if tags.is_full_range else ColorRange.MPEG


def _pixels(plane: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]
