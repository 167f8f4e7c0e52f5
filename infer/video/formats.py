"""Which files hold which codecs, and how frames are encoded."""

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.codec.codec import UnknownCodecError
from av.error import FFmpegError

from nst.infer.errors import UserError
from nst.infer.video.scheduling import same_scheduling


class Form(NamedTuple):
    """A kind of video file.

    Attributes:
        muxer: ffmpeg's name of it.
        codec: what is written into it unless another is asked for.
        options: of the muxer; they let a player read what was written before the program died.
        at_once: more of them, for sound or subtitles that begin late.
        is_iso: whether it is of the family of MP4, where a frame lasts until the next packet.
        sound: beginnings of the names of codecs whose packets it gives their times; none are all.
        is_constant: whether each frame is shown for the same time.
        tick: of its clock, in seconds, if it is always the same.
        least_ticks: the shortest time that players show a frame.
    """

    muxer: str
    codec: str
    options: Mapping[str, str]
    at_once: Mapping[str, str] = {}
    is_iso: bool = False
    sound: tuple[str, ...] = ()
    is_constant: bool = False
    tick: Fraction | None = None
    least_ticks: int = 1


# Fragments are written as they are ready, and the file becomes an ordinary one when it is closed.
# The first of them waits for the sound, whose offset belongs into the header.
FRAGMENTS = {
    "movflags": "+hybrid_fragmented+frag_keyframe+delay_moov",
    "max_interleave_delta": "1000000",
}
# Where that would be long, the header is written at once and each fragment tells its time. Offsets
# are in the header all the same once the file is closed.
AT_ONCE = {
    "movflags": "+hybrid_fragmented+frag_keyframe+empty_moov+frag_discont",
    "use_editlist": "1",
}
CLUSTERS = {"cluster_time_limit": "2000", "flush_packets": "1", "max_interleave_delta": "1000000"}
FLUSHED = {"flush_packets": "1"}

GIF = ".gif"
FORMS = {
    ".mp4": Form("mp4", "h264", FRAGMENTS, AT_ONCE, is_iso=True),
    ".m4v": Form("mp4", "h264", FRAGMENTS, AT_ONCE, is_iso=True),
    ".mov": Form("mov", "h264", FRAGMENTS, AT_ONCE, is_iso=True),
    ".mkv": Form("matroska", "h264", CLUSTERS),
    ".webm": Form("webm", "vp9", CLUSTERS),
    ".avi": Form("avi", "h264", FLUSHED, sound=("pcm", "mp3", "ac3"), is_constant=True),
    GIF: Form("gif", "gif", FLUSHED, tick=Fraction(1, 100), least_ticks=2),
}
"""What can be written, by the suffix in lower case."""


class Encoder(NamedTuple):
    """What turns frames into packets.

    Attributes:
        name: of the encoder in ffmpeg.
        options: for it.
        even: whether width and height have to be even.
        tag: of the codec in MP4 and MOV where the usual one is not played everywhere.
        most_crf: the highest ``--crf`` that it takes; None if it is not known.
    """

    name: str
    options: Mapping[str, str] = {}
    even: bool = True
    tag: str | None = None
    most_crf: int | None = None


GIF_ENCODER = Encoder("gif", even=False)
ENCODERS = {
    "h264": Encoder("libx264", {"preset": "superfast", "crf": "20"}, most_crf=51),
    "hevc": Encoder(
        "libx265",
        {"preset": "ultrafast", "crf": "22", "x265-params": "log-level=error"},
        tag="hvc1",
        most_crf=51,
    ),
    "vp9": Encoder(
        "libvpx-vp9",
        {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "28", "b": "0"},
        even=False,
        most_crf=63,
    ),
    "av1": Encoder("libsvtav1", {"preset": "10", "crf": "28"}, even=False, most_crf=63),
}
"""Encoders by the names of their codecs; fast enough to follow the network."""

USUAL_PIXELS = "yuv420p"
TRIAL_SIZE = (64, 64)
TAKES_ALL = ".mkv"

COPIED_TYPES = ("audio", "subtitle")


def form_of(path: Path) -> Form:
    """The kind of file that a path names.

    Raises:
        UserError: if it is unknown.
    """
    form = FORMS.get(path.suffix.lower())
    if form is None:
        known = ", ".join(FORMS)
        raise UserError(f"cannot write {path}: its extension is unknown, use one of {known}")
    return form


def named_encoder(name: str) -> tuple[Encoder, Any]:
    """An encoder, and what ffmpeg says about it.

    Args:
        name: of its codec in ``ENCODERS``, or its own in ffmpeg.
    Raises:
        UserError: if there is none.
    """
    own = {each.name: each for each in ENCODERS.values()}
    encoder = ENCODERS.get(name) or own.get(name) or Encoder(name)
    with suppress(UnknownCodecError):
        found = av.Codec(encoder.name, "w")
        if found.type == "video":
            return encoder, found
    known = ", ".join(ENCODERS)
    raise UserError(f"--codec {name} is unknown: use {known} or an encoder of ffmpeg")


def find_encoder(codec: str | None, path: Path) -> Encoder:
    """The encoder for a file.

    Args:
        codec: one of ``ENCODERS``, or an encoder of ffmpeg; None is what the file usually holds.
        path: the file to write.
    Raises:
        UserError: if there is no such encoder, or the file cannot hold what it makes.
    """
    form = form_of(path)
    if path.suffix.lower() == GIF:
        if codec is not None:
            raise UserError("--codec means nothing for a GIF")
        return GIF_ENCODER
    wanted = codec or form.codec
    encoder, found = named_encoder(wanted)
    with av.open(io.BytesIO(), "w", format=form.muxer) as container:
        is_held = found.canonical_name in container.supported_codecs
    if not is_held or (codec is not None and refuses(form, encoder)):
        raise UserError(
            f"{path.suffix} cannot hold {wanted}: name another codec, "
            "or another result such as out.mkv with --out"
        )
    return encoder


def refuses(form: Form, encoder: Encoder) -> bool:
    """Whether a kind of file, and no fault of the encoder's, keeps frames of it from being written.

    Some codecs that ffmpeg calls supported are refused when the file is begun.
    """

    def add(container: Any) -> None:
        stream = container.add_stream(encoder.name, rate=25, options=dict(encoder.options))
        stream.width, stream.height = TRIAL_SIZE
        stream.pix_fmt = pixels_for(stream.codec_context.codec)

    return not can_begin(form, add) and can_begin(FORMS[TAKES_ALL], add)


def can_begin(form: Form, add: Callable[[Any], object]) -> bool:
    """Whether a file can be begun with the stream that ``add`` gives it."""
    container = av.open(io.BytesIO(), "w", format=form.muxer)
    try:
        add(container)
        with same_scheduling():
            container.start_encoding()
    except (FFmpegError, ValueError):
        return False
    finally:
        container.close()
    return True


def pixels_for(codec: Any) -> str:
    """The format of pixels that a codec of ffmpeg is given: what players show, where it can."""
    names = [each.name for each in codec.video_formats or ()]
    return names[0] if names and USUAL_PIXELS not in names else USUAL_PIXELS


def can_hold(form: Form, stream: Any) -> bool:
    """Whether a kind of file takes packets of a stream as they are."""
    if form.sound and not codec_name(stream).startswith(form.sound):
        return False
    return can_begin(
        form, lambda container: container.add_stream_from_template(stream, opaque=True)
    )


def check_sound(streams: Iterable[Any], path: Path) -> None:
    """Refuse a file that cannot hold the sound.

    Args:
        streams: of sound.
        path: the file to write.
    Raises:
        UserError: if it cannot; it names an extension that can.
    """
    streams = list(streams)
    held = [stream for stream in streams if can_hold(form_of(path), stream)]
    if len(held) == len(streams):
        return
    lost = next(stream for stream in streams if stream not in held)
    fitting = [
        suffix
        for suffix, form in FORMS.items()
        if suffix != GIF and all(can_hold(form, stream) for stream in streams)
    ]
    better = f"use {fitting[0]}" if fitting else "no extension that is known here can"
    raise UserError(
        f"cannot write {path}: {path.suffix} cannot hold the sound ({codec_name(lost)}), {better}"
    )


def codec_name(stream: Any) -> str:
    """What a stream is encoded with, for messages."""
    context = stream.codec_context
    return "an unknown codec" if context is None else str(context.name)
