"""Video files as sinks of frames."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.error import FFmpegError

from nst.infer.errors import UserError
from nst.infer.video.colors import ColorTags, FromRgb, ToPalette
from nst.infer.video.copied import CopiedStreams
from nst.infer.video.formats import GIF_ENCODER, Encoder, form_of, pixels_for
from nst.infer.video.protocol import TimedFrame
from nst.infer.video.scheduling import same_scheduling

os.environ.setdefault("SVT_LOG", "1")  # errors alone

KEYFRAME_S = 2
"""Seconds between frames from which a player can begin. What was written up to the last of them
can be played if the program dies."""


MOST_TICKS = {"mpeg4": 65535}
"""In a second, of encoders that have a limit."""


class Picture(NamedTuple):
    """What the frames of a result have in common.

    Attributes:
        size: width and height of the frames that are given.
        tags: of their colours.
        aspect: width of a pixel by its height.
        rate: frames per second, the average.
        time_base: seconds in a tick of the clock.
    """

    size: tuple[int, int]
    tags: ColorTags
    aspect: Fraction
    rate: Fraction
    time_base: Fraction


class VideoWriter:
    """Encodes frames into a file, with the sound of the clip that they are from.

    Args:
        path: the file; its suffix says what it becomes.
        name: what messages call it.
        picture: what the frames have in common.
        encoder: what encodes them.
        crf: of the encoder: the higher, the smaller the file and the coarser the picture. None
            is the usual one.
        copied: sound and what else belongs to the frames, if there is something.
        shift: seconds that are subtracted from its times.
        threads: that encode, >= 1.
    Attributes:
        size: width and height of the result.
        frames: that were written.
    Raises:
        UserError: if the file cannot be written, or the encoder refuses.
    """

    def __init__(
        self,
        path: Path,
        picture: Picture,
        encoder: Encoder,
        *,
        name: Path,
        crf: int | None,
        copied: CopiedStreams | None,
        shift: Fraction,
        threads: int,
    ) -> None:
        form = form_of(path)
        options = dict(form.options)
        if copied is not None and not copied.begin(shift):
            options.update(form.at_once)
        self._name, self._copied, self._form = name, copied, form
        clock = 1 / picture.rate if form.is_constant else picture.time_base
        self._time_base = form.tick or clock_for(encoder, clock)
        self._durations: dict[int, int] = {}
        self._last_tick: int | None = None
        self._first_tick = self._end_tick = self._delay_ticks = 0
        self._held: Any = None
        self._closed = self._failed = False
        self.frames = 0
        with reported(name):
            self._container: Any = av.open(
                str(path),
                "w",
                format=form.muxer,
                container_options=options,
                metadata_errors="surrogateescape",
            )
        try:
            self._add_stream(picture, encoder, crf, threads)
            if copied is not None:
                with reported(name):
                    copied.add_to(self._container)
        except BaseException:
            self._container.close()
            raise
        self._frame_of = (
            ToPalette() if encoder is GIF_ENCODER else FromRgb(picture.tags, self._context.pix_fmt)
        )

    def write(self, frame: TimedFrame) -> None:
        """Encode a frame, and copy the sound before it.

        Args:
            frame: of the size in ``picture``. It is left out if the clock of the file is too
                coarse to tell it from the one before.
        Raises:
            UserError: if it cannot be written.
        """
        tick = round(frame.time_s / self._time_base)
        if self._form.is_constant:  # such a file begins with its first frame
            if self._last_tick is None:
                self._first_tick = tick
                if self._copied is not None:
                    self._copied.cut_to(tick * self._time_base)
            tick -= self._first_tick
        if self._last_tick is not None and tick < self._last_tick + self._form.least_ticks:
            return
        self._last_tick = tick
        ticks = round(frame.duration_s / self._time_base)
        self._durations[tick] = max(self._form.least_ticks, ticks)
        pixels = frame.pixels
        if any(self._padding):
            right, below = self._padding
            pixels = np.pad(pixels, ((0, below), (0, right), (0, 0)), "edge")
        encoded = self._frame_of(pixels)
        encoded.pts, encoded.time_base = tick, self._time_base
        with self._muxing():
            if self._copied is not None:
                self._copied.copy_until(frame.time_s)
            self._mux(encoded)
        self.frames += 1

    def copy_rest(self) -> None:
        """Copy the sound that there is after the last frame.

        Raises:
            UserError: if it cannot be written.
        """
        if self._copied is not None:
            with self._muxing():
                self._copied.copy_until(None)

    def close(self) -> None:
        """Finish the file.

        Raises:
            UserError: if it cannot be written to its end.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if not self._failed:  # after an error, one more packet may end the whole program
                with reported(self._name):
                    self._mux(None)
                    self._mux_last()
        finally:
            with reported(self._name):
                self._container.close()

    @contextmanager
    def _muxing(self) -> Iterator[None]:
        """Turn an error of ffmpeg into a line for the user, and keep in mind that there was one."""
        try:
            with reported(self._name):
                yield
        except UserError:
            self._failed = True
            raise

    def _mux(self, frame: Any) -> None:
        """Encode and write a frame, or all that the encoder holds back; but for the last packet."""
        for packet in self._context.encode(frame):
            packet.stream = self._stream
            packet.duration = self._durations.pop(packet.pts, 0)
            self._end_tick = max(self._end_tick, packet.pts + packet.duration)
            if self._held is None:
                self._delay_ticks = packet.pts - packet.dts
            else:
                self._container.mux(self._held)
            self._held = packet

    def _mux_last(self) -> None:
        """Write the last packet, which says when the last frame ends."""
        if self._held is not None:
            if self._form.is_iso:
                # Its times of decoding and of showing have to end together, or the later counts.
                self._held.dts = max(self._held.dts, self._held.pts - self._delay_ticks)
                self._held.duration = self._end_tick - self._delay_ticks - self._held.dts
            self._container.mux(self._held)

    def _add_stream(
        self, picture: Picture, encoder: Encoder, crf: int | None, threads: int
    ) -> None:
        if encoder.most_crf is not None and (crf or 0) > encoder.most_crf:
            raise UserError(f"--crf {crf}: {encoder.name} takes 0 to {encoder.most_crf}")
        options = {**encoder.options, **({} if crf is None else {"crf": str(crf)})}
        self._stream: Any = self._container.add_stream(
            encoder.name, rate=picture.rate, options=options
        )
        context = self._context = self._stream.codec_context
        context.time_base = self._time_base
        width, height = picture.size
        self._padding = (width % 2, height % 2) if encoder.even else (0, 0)
        self.size = width + self._padding[0], height + self._padding[1]
        context.width, context.height = self.size
        context.pix_fmt = pixels_for(context.codec)
        context.sample_aspect_ratio = picture.aspect
        context.colorspace, context.color_range = picture.tags.matrix, picture.tags.range
        context.color_primaries = picture.tags.primaries
        context.color_trc = picture.tags.transfer
        context.gop_size = max(1, round(KEYFRAME_S * picture.rate))
        context.thread_count = threads
        if self._form.is_constant:
            context.max_b_frames = 0  # an AVI has no times by which they could be put in order
        if encoder.tag and self._form.is_iso:
            context.codec_tag = encoder.tag
        try:
            with same_scheduling():
                context.open()
        except FFmpegError as error:
            raise UserError(
                f"cannot write {self._name}: {encoder.name} refuses frames of "
                f"{context.width}x{context.height}, or its settings ({error.strerror})"
            ) from error
        if crf is not None and "crf" in context.options:
            raise UserError(f"--crf means nothing to {encoder.name}")


def clock_for(encoder: Encoder, tick: Fraction) -> Fraction:
    """Seconds in a tick of the clock of a result.

    Args:
        encoder: some have no clock as fine as those of most clips.
        tick: of the clip.
    """
    most = MOST_TICKS.get(encoder.name, tick.denominator)
    if tick.denominator <= most:
        return tick
    return Fraction(1, tick.denominator // math.ceil(tick.denominator / most))


@contextmanager
def reported(name: Path) -> Iterator[None]:
    """Turn an error of ffmpeg into the line that a user is told.

    Raises:
        UserError: in place of it.
    """
    try:
        yield
    except FFmpegError as error:
        raise UserError(f"cannot write {name}: {error.strerror}") from error
