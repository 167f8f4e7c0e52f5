"""Video files as sources of frames."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from nst.infer.errors import UserError
from nst.infer.messages import counted
from nst.infer.video.colors import ToRgb, read_tags
from nst.infer.video.opened import MICROSECONDS, end_of, find_video, open_input, seek
from nst.infer.video.orientation import read_orientation
from nst.infer.video.protocol import TimedFrame

USUAL_RATE = Fraction(25)
"""Frames per second where a file does not tell."""

LOSS_S = 0.25
"""A file that ends this much before the end that it tells is truncated."""

LEADING = 16
"""Frames without a time that are held until one tells when they were."""

BACK_S = Fraction(1, 5)
"""How much earlier a file is sought again if the first frame is missing."""


class VideoReader:
    """Gives the frames of a video file upright and in RGB.

    Args:
        path: the file.
        start_s: where to begin, in seconds since its beginning; the first frame is then at 0.
        end_s: frames at that time and later are left out; None is its end.
        max_pixels: the most that a frame may have.
        threads: that decode, >= 1; None leaves it to ffmpeg.
        result_size: gives the width and height of the result for those of a frame.
    Attributes:
        size: width and height of the frames, upright.
        tags: what the video says about its colours.
        aspect: width of a pixel by its height.
        rate: frames per second, the average.
        time_base: seconds in a tick of its clock.
        shift: seconds that are subtracted from all times.
        begin_s: the time of its beginning, after the shift.
        length_s: how long what is read lasts, as far as the file tells; None if it does not.
        notices: what the user should know; all of them are there once it is read to its end.
        lost_frames: how many could not be read, as far as it is known once it is read to its end.
    Raises:
        UserError: if there is no frame in it.
    """

    def __init__(
        self,
        path: Path,
        *,
        start_s: Fraction | None = None,
        end_s: Fraction | None = None,
        max_pixels: int | None = None,
        threads: int | None = None,
        result_size: Callable[[int, int], tuple[int, int]] = lambda width, height: (width, height),
    ) -> None:
        self.path = path
        self.notices: list[str] = []
        self.lost_frames = 0
        self._given = self._got = self._broken = self._disordered = self._damaged = 0
        self._last_packet_s = 0.0
        self._max_pixels = max_pixels
        self._container = open_input(path)
        try:
            self._stream = find_video(self._container, path)
            self._open_decoder(threads)
            self._set_range(start_s, end_s)
            self._frames: Iterator[Any] = self._in_range()
            self._ahead = next(self._frames, None)
            if self._ahead is None:
                raise self._no_frame(start_s)
            self._describe(self._ahead, result_size)
        except BaseException:
            self.close()
            raise
        self.shift = self._ahead.pts * self.time_base if start_s else Fraction(0)

    def read(self) -> TimedFrame | None:
        """The next frame; None at the end.

        Raises:
            UserError: if a frame has too many pixels.
        """
        frame = self._ahead
        if frame is None:
            return None
        self._ahead = next(self._frames, None)
        following = self._ahead
        ticks = following.pts - frame.pts if following is not None else self._last_ticks(frame)
        if (frame.width, frame.height) != self._coded_size:
            self._tell(f"its frames change their size: all have {self.size[0]}x{self.size[1]} now")
        pixels = self._orientation.upright(self._to_rgb(frame))
        time_s = float(frame.pts * self.time_base - self.shift)
        return TimedFrame(pixels, time_s, float(ticks * self.time_base))

    def close(self) -> None:
        """Let go of the file."""
        self._frames = iter(())
        self._container.close()

    def _open_decoder(self, threads: int | None) -> None:
        context = self._stream.codec_context
        self._refuse_large(context.width, context.height)
        context.thread_type = "AUTO"
        context.thread_count = threads or 0
        self.time_base: Fraction = self._stream.time_base
        rate = Fraction(self._stream.average_rate or self._stream.guessed_rate or USUAL_RATE)
        self.rate = rate.limit_denominator(1001) or rate  # 0 for frames of half an hour

    def _set_range(self, start_s: Fraction | None, end_s: Fraction | None) -> None:
        """What is read, in ticks, and how long it lasts."""
        begin = Fraction(max(0, self._container.start_time or 0), MICROSECONDS)
        first = begin + (start_s or 0)
        self._begin, self._start = begin, first if start_s else None
        self._end = (begin + end_s) / self.time_base if end_s is not None else None
        duration = self._container.duration
        self.begin_s = 0.0 if start_s else float(begin)
        self._whole_s = None if duration is None else duration / MICROSECONDS
        lengths = [each for each in (self._whole_s, end_s) if each is not None]
        self.length_s = max(0.0, min(lengths) - (start_s or 0)) if lengths else None

    def _describe(self, frame: Any, result_size: Callable[[int, int], tuple[int, int]]) -> None:
        """What all frames have in common, of the first one."""
        self.tags = read_tags(frame, str(self.path))
        self._orientation = read_orientation(frame)
        self._coded_size = (frame.width, frame.height)
        size = result_size(frame.width, frame.height)
        self._to_rgb = ToRgb(self.tags, size)
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        self.size, self.aspect = size, aspect
        if self._orientation.swapped:
            self.size, self.aspect = (size[1], size[0]), 1 / aspect
        bits = max(component.bits for component in frame.format.components)
        if bits > 8:
            self._tell(f"its colours have {bits} bits: they are written with 8")

    def _in_range(self) -> Iterator[Any]:
        """Decoded frames from the start to the end, each later than the one before."""
        last, first = None, self._start
        frames = self._timed() if first is None else self._from(first)
        at_end = True
        for frame in frames:
            self._refuse_large(frame.width, frame.height)
            if first is not None and frame.pts * self.time_base < first:
                continue
            if self._end is not None and frame.pts >= self._end:
                at_end = False
                break
            if last is not None and frame.pts <= last:
                self._disordered += 1
                continue
            last = frame.pts
            self._damaged += frame.is_corrupt
            yield frame
        self._tell_loss(at_end=at_end)

    def _from(self, start: Fraction) -> Iterator[Any]:
        """Frames from a time on, or from a little before it."""
        place, back = start, BACK_S
        while True:
            seek(self._container, place, self.path)
            self._given = self._got = self._broken = 0
            frames = self._timed()
            frame = next(frames, None)
            is_late = frame is None or frame.pts * self.time_base > start
            if not is_late or place <= self._begin:
                break
            # Files are sought by when frames are decoded, which is before they are shown.
            place, back = max(self._begin, start - back), 2 * back
        return frames if frame is None else chain([frame], frames)

    def _timed(self) -> Iterator[Any]:
        """All frames with their times; one without comes right after the one before."""
        frames = self._decoded()
        leading = []
        for frame in frames:
            leading.append(frame)
            if frame.pts is not None or len(leading) == LEADING:
                break
        if not leading:
            return
        known, ticks = leading[-1].pts, self._last_ticks(leading[0])
        last = -ticks if known is None else known - len(leading) * ticks
        for frame in chain(leading, frames):
            if frame.pts is None:
                frame.pts = last + self._last_ticks(frame)
            last = frame.pts
            yield frame

    def _decoded(self) -> Iterator[Any]:
        """All frames that can be decoded; what cannot is counted."""
        is_avi = self._container.format.name == "avi"
        for packet in self._packets():
            self._last_packet_s = max(self._last_packet_s, end_of(packet))
            if packet.stream is not self._stream:
                continue
            self._given += 1 if packet.size else 0
            try:
                frames = packet.decode()
            except FFmpegError:
                self._broken += 1
                continue
            self._got += len(frames)
            for frame in frames:
                if is_avi:  # it tells when frames are decoded alone: what is pts there is a guess
                    frame.pts = frame.dts
                yield frame

    def _packets(self) -> Iterator[Any]:
        """All packets, and at the end an empty one per stream, which flushes its decoder."""
        try:
            yield from self._container.demux()
        except FFmpegError:  # a truncated file, whose missing end is told
            flush = av.Packet()
            flush.stream = self._stream
            yield flush

    def _tell_loss(self, *, at_end: bool) -> None:
        """Say what is missing.

        Args:
            at_end: whether the file was read to its end.
        """
        broken, cut = self._broken, 0
        if at_end:
            broken = max(0, self._given - self._got) if broken else 0
            if self._whole_s is not None:
                missing_s = float(self._begin) + self._whole_s - self._last_packet_s
                cut = round(missing_s * self.rate) if missing_s > LOSS_S else 0
        self.lost_frames = broken + cut + self._disordered
        if self.lost_frames:
            lost_s = float(self.lost_frames / self.rate)
            lost = counted(self.lost_frames, "frame")
            self._tell(f"it is damaged: {lost} ({lost_s:.1f} s) missing")
        if self._damaged:
            damaged = counted(self._damaged, "frame")
            self._tell(f"it is damaged: {damaged} could be decoded in part alone")

    def _last_ticks(self, frame: Any) -> int:
        """How long the last frame is shown."""
        return frame.duration or round(1 / self.rate / self.time_base)

    def _no_frame(self, start_s: Fraction | None) -> UserError:
        if start_s and self._whole_s is not None and start_s >= self._whole_s:
            return UserError(
                f"--start {float(start_s):g} is beyond the end of {self.path}, which lasts "
                f"{self._whole_s:.2f} s"
            )
        return UserError(f"cannot read {self.path}: no frame of it can be decoded")

    def _refuse_large(self, width: int, height: int) -> None:
        if self._max_pixels is not None and width * height > self._max_pixels:
            raise UserError(
                f"cannot read {self.path}: its frames of {width}x{height} have more than "
                f"{self._max_pixels} pixels, --max-pixels raises the limit"
            )

    def _tell(self, text: str) -> None:
        if (notice := f"{self.path}: {text}") not in self.notices:
            self.notices.append(notice)
