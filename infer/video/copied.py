"""Sound and subtitles of a clip, which are copied as they are."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from av.error import FFmpegError
from av.stream import Disposition

from nst.infer.video.formats import COPIED_TYPES, GIF, can_hold, check_sound, codec_name, form_of
from nst.infer.video.opened import MICROSECONDS, find_video, open_input, seek

TITLES_OF_CONTAINERS = ("major_brand", "minor_version", "compatible_brands", "encoder")
"""Of the metadata, what is said about the file and not about the clip."""

SOON_S = 2
"""Of the result: what begins by then is worth waiting for."""

MADE_OF_PACKETS = ("ac3", "eac3")
"""Codecs whose entry in the header of an MP4 is made of a packet, which it has to wait for."""

SPREAD_S = 5
"""So far apart may a subtitle and a frame of one time be in a file."""


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
        self._path = path
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
        self._shift = self._cut_s = Fraction(0)

    def begin(self, shift: Fraction) -> bool:
        """Read the first packets, before anything else is done.

        Args:
            shift: seconds that are subtracted from all times.
        Returns:
            Whether a header can wait for a packet of each stream.
        Raises:
            UserError: if the start cannot be found.
        """
        self._shift = shift
        soon_s = SOON_S + (0 if self._start_s else self._begin)
        packets = self._in_range()
        read, late = [], set(self._streams)
        while late and (packet := next(packets, None)) is not None:
            read.append(packet)
            if packet.dts * packet.time_base > soon_s:
                break
            late.discard(packet.stream)
        self._packets = chain(read, packets)
        return not late or any(codec_name(stream) in MADE_OF_PACKETS for stream in late)

    def add_to(self, out: Any) -> None:
        """Add streams, chapters and metadata to a result, before its first packet.

        Args:
            out: the container.
        """
        self._out = out
        self._copies = {}
        for stream in self._streams:
            copy = out.add_stream_from_template(stream, opaque=True)
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._copies[stream] = copy
        kept = self._container.metadata.items()
        out.metadata.update({k: v for k, v in kept if k.lower() not in TITLES_OF_CONTAINERS})
        out.set_chapters(list(self._chapters()))
        self._ahead = next(self._packets, None)

    def cut_to(self, time_s: Fraction) -> None:
        """Let a time of the result be 0, before the first packet; what comes before is left out."""
        self._cut_s = time_s

    def copy_until(self, time_s: float | None) -> None:
        """Copy the packets before a time of the result; None copies all."""
        while self._ahead is not None:
            packet = self._ahead
            if time_s is not None and packet.dts * packet.time_base >= time_s:
                return
            cut = round(self._cut_s / packet.time_base)
            if packet.pts >= cut or not cut:
                packet.pts, packet.dts = packet.pts - cut, packet.dts - cut
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
        form, shown = form_of(target), find_video(self._container, path)
        streams = [each for each in self._container.streams if each.type in COPIED_TYPES]
        sound = [stream for stream in streams if stream.type == "audio"]
        is_gif = target.suffix.lower() == GIF
        if is_gif and sound:
            self.notices.append(f"{target}: a GIF has no sound, it is left out")
        if not is_gif:
            check_sound(sound, target)
        for stream in self._container.streams:
            if stream is not shown and stream.type not in COPIED_TYPES:
                self._tell_left_out(path, stream)
        held = [stream for stream in streams if stream in sound or can_hold(form, stream)]
        for stream in streams:
            if stream not in held:
                self.notices.append(
                    f"{path}: its subtitles ({codec_name(stream)}) are left out, "
                    f"{target.suffix} cannot hold them"
                )
        return [] if is_gif else held

    def _tell_left_out(self, path: Path, stream: Any) -> None:
        """Say that a stream is in no result, whatever its suffix."""
        kind = stream.type
        if kind == "data" and self._container.chapters():
            return  # an MP4 has its chapters in one, and they are kept
        if kind == "video":
            is_cover = stream.disposition & Disposition.attached_pic
            kind = "cover" if is_cover else f"other video ({codec_name(stream)})"
        elif kind == "attachment":
            kind = f"attachment {stream.metadata.get('filename', '')}".rstrip()
        self.notices.append(f"{path}: its {kind} is left out")

    def _in_range(self) -> Iterator[Any]:
        """Packets from the start to the end, with times of the result."""
        if not self._streams:
            return
        first, end = self._range()
        if first is not None:
            seek(self._container, first, self._path)
        going = set(self._streams)
        with suppress(FFmpegError):  # a truncated file: the reader of its frames tells it
            for packet in self._container.demux():
                if not packet.size or (packet.dts is None and packet.pts is None):
                    continue
                if end is not None and self._is_over(packet, end, going):
                    return
                if packet.stream not in self._streams or packet.pts is None:
                    continue
                time = packet.pts * packet.time_base
                if (first is not None and time < first) or (end is not None and time >= end):
                    continue
                ticks = round(self._shift / packet.time_base)
                packet.dts = (packet.pts if packet.dts is None else packet.dts) - ticks
                packet.pts -= ticks
                yield packet

    @staticmethod
    def _is_over(packet: Any, end: Fraction, going: set[Any]) -> bool:
        """Whether no packet before the end comes any more.

        Args:
            packet: the next one.
            end: on the clock of the clip.
            going: streams that are not known to be beyond it; is kept up to date.
        """
        time = (packet.pts if packet.dts is None else packet.dts) * packet.time_base
        if time >= end:
            going.discard(packet.stream)
        if time >= end + SPREAD_S:  # the next subtitle may be at the other end of the file
            going -= {stream for stream in going if stream.type != "audio"}
        return not going

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
