"""Sound and subtitles of a clip, which are copied as they are."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.error import FFmpegError

from nst.infer.video.formats import COPIED_TYPES, GIF, can_hold, check_sound, codec_name, form_of
from nst.infer.video.reader import MICROSECONDS, open_input

TITLES_OF_CONTAINERS = ("major_brand", "minor_version", "compatible_brands", "encoder")
"""Of the metadata, what is said about the file and not about the clip."""


class CopiedStreams:
    """What a result has besides its frames: sound, subtitles, chapters and metadata of the clip.

    It reads the clip on its own, so that packets come as the frames are written.

    Args:
        path: the clip.
        target: the result; its suffix says what it can hold.
        start_s, end_s: the range of the clip, in seconds since its beginning.
    Attributes:
        notices: what is left out.
    Raises:
        UserError: if the clip cannot be read, or the result cannot hold its sound.
    """

    def __init__(
        self, path: Path, target: Path, *, start_s: Fraction | None, end_s: Fraction | None
    ) -> None:
        self._container = open_input(path)
        self._begin = Fraction(max(0, self._container.start_time or 0), MICROSECONDS)
        self._start_s, self._end_s = start_s, end_s
        self.notices: list[str] = []
        try:
            self._streams = self._choose(path, target)
        except BaseException:
            self.close()
            raise
        self._out: Any = None
        self._ahead: Any = None
        self._packets: Iterator[Any] = iter(())

    def add_to(self, out: Any, shift: Fraction) -> None:
        """Add streams, chapters and metadata to a result, before its first packet.

        Args:
            out: the container.
            shift: seconds that are subtracted from all times.
        """
        self._out, self._shift = out, shift
        self._copies = {}
        for stream in self._streams:
            copy = out.add_stream_from_template(stream, opaque=True)
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._copies[stream] = copy
        kept = self._container.metadata.items()
        out.metadata.update({k: v for k, v in kept if k.lower() not in TITLES_OF_CONTAINERS})
        out.set_chapters(list(self._chapters()))
        self._packets = self._in_range()
        self._ahead = next(self._packets, None)

    def copy_until(self, time_s: float | None) -> None:
        """Copy the packets before a time of the result; None copies all."""
        while self._ahead is not None:
            packet = self._ahead
            if time_s is not None and packet.dts * packet.time_base >= time_s:
                return
            packet.stream = self._copies[packet.stream]
            self._out.mux(packet)
            self._ahead = next(self._packets, None)

    def close(self) -> None:
        """Let go of the clip."""
        self._packets = iter(())
        self._ahead = None
        self._container.close()

    def _choose(self, path: Path, target: Path) -> list[Any]:
        """The streams that are copied."""
        form = form_of(target)
        streams = [each for each in self._container.streams if each.type in COPIED_TYPES]
        sound = [stream for stream in streams if stream.type == "audio"]
        if target.suffix.lower() == GIF:
            if sound:
                self.notices.append(f"{target}: a GIF has no sound, it is left out")
            return []
        check_sound(sound, target)
        held = [stream for stream in streams if stream in sound or can_hold(form, stream)]
        for stream in streams:
            if stream not in held:
                self.notices.append(
                    f"{path}: its subtitles ({codec_name(stream)}) are left out, "
                    f"{target.suffix} cannot hold them"
                )
        return held

    def _in_range(self) -> Iterator[Any]:
        """Packets from the start to the end, with times of the result."""
        if not self._streams:
            return
        first, end = self._range()
        if first is not None:
            self._container.seek(int(first * MICROSECONDS))
        with suppress(FFmpegError):  # a truncated file: the reader of its frames tells it
            for packet in self._container.demux(self._streams):
                if not packet.size or packet.pts is None:
                    continue
                time = packet.pts * packet.time_base
                if (first is not None and time < first) or (end is not None and time >= end):
                    continue
                ticks = round(self._shift / packet.time_base)
                packet.dts = (packet.pts if packet.dts is None else packet.dts) - ticks
                packet.pts -= ticks
                yield packet

    def _range(self) -> tuple[Fraction | None, Fraction | None]:
        """The first time and the end of what is copied, on the clock of the clip."""
        first = self._shift if self._start_s else None
        end = None if self._end_s is None else self._begin + self._end_s
        return first, end

    def _chapters(self) -> Iterator[dict[str, Any]]:
        """Those in the range, with times of the result."""
        first, end = self._range()
        for chapter in self._container.chapters():
            base = chapter["time_base"]
            begin, finish = chapter["start"] * base, chapter["end"] * base
            begin = max(begin, first or begin)
            finish = min(finish, end or finish)
            if begin < finish:
                moved = (round((time - self._shift) / base) for time in (begin, finish))
                start, stop = moved
                yield {**chapter, "start": start, "end": stop}
