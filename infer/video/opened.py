"""Video files that are read: opened, sought, and their streams."""

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.stream import Disposition

from nst.infer.errors import UserError
from nst.infer.files import require_file

MICROSECONDS = 1_000_000


def open_input(path: Path) -> Any:
    """Open a video file.

    Raises:
        UserError: if it is none, or cannot be read.
    """
    require_file(path)
    try:
        return av.open(str(path), metadata_errors="surrogateescape")
    except FFmpegError as error:
        raise UserError(f"cannot read {path}: it is no video, or damaged ({error.strerror})") from (
            error
        )


def seek(container: Any, time_s: Fraction, path: Path) -> None:
    """Go on reading at the last place before a time from which frames can be decoded.

    Raises:
        UserError: if the file does not tell where that is.
    """
    try:
        container.seek(math.floor(time_s * MICROSECONDS))
    except FFmpegError as error:
        raise UserError(f"cannot seek in {path}: leave out --start") from error


def find_video(container: Any, path: Path) -> Any:
    """The video stream of a file.

    Raises:
        UserError: if there is none but pictures of a cover, or nothing decodes it.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise UserError(f"cannot read {path}: ffmpeg does not know its codec")
            return stream
    raise UserError(f"cannot read {path}: there is no video in it")


def end_of(packet: Any) -> float:
    """Where a packet ends, in seconds; 0.0 if it does not tell."""
    time = packet.pts if packet.pts is not None else packet.dts
    if time is None:
        return 0.0
    return float((time + (packet.duration or 0)) * packet.time_base)
