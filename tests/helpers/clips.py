"""Small videos, made on the spot, and what is in videos."""

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

RATE = Fraction(25)
SIZE = (64, 48)
SAMPLES = 48_000
"""Of sound, per second."""


def gray(number: int) -> Pixels:
    """(H, W, 3) for a frame that is told from those around it by its level."""
    return np.full((SIZE[1], SIZE[0], 3), 40 + 5 * (number % 32), np.uint8)


def level_numbers(levels: Sequence[float]) -> list[int]:
    """The numbers of the frames that ``gray`` made, up to 31."""
    return [round((level - 40) / 5) for level in levels]


def make_clip(
    path: Path,
    *,
    frames: int = 10,
    paint: Callable[[int], Pixels] = gray,
    rate: Fraction = RATE,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    tags: Sequence[int] | None = None,
    matrix: int = 5,
    audio: str | None = None,
    layout: str = "stereo",
    audio_at_s: int = 0,
    audio_end_s: float | None = None,
    aspect: Fraction | None = None,
    chapters: Sequence[tuple[int, int, str]] = (),
    **metadata: str,
) -> Path:
    """Write a video.

    Args:
        path: its suffix says what it becomes.
        frames: how many.
        paint: gives the frame of a number.
        rate: frames per second.
        times: of the frames, in ticks of ``time_base``; None is the rate.
        time_base: seconds in a tick; None is a frame.
        codec: encoder.
        options: of the encoder.
        pix_fmt: of the frames.
        tags: matrix, primaries, transfer and range; None is untagged.
        matrix: that is used, in the numbers of the converter.
        audio: encoder of a sound; None is silent.
        layout: of the sound.
        audio_at_s: when it begins, in seconds.
        audio_end_s: when it ends; None is when as many frames from 0 on do.
        aspect: width of a pixel by its height.
        chapters: beginnings and ends in milliseconds, and titles.
        metadata: of the file.
    """
    full = tags is not None and tags[3] == 2
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=rate, options=options or {"crf": "1"})
        height, width = paint(0).shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        context.time_base = time_base or 1 / rate
        if tags:
            context.colorspace, context.color_primaries, context.color_trc = tags[:3]
            context.color_range = tags[3]
        if aspect:
            context.sample_aspect_ratio = aspect
        sound: Any = out.add_stream(audio, rate=SAMPLES, layout=layout) if audio else None
        out.metadata.update(metadata)
        out.set_chapters(
            [
                {
                    "id": number,
                    "start": start,
                    "end": end,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": title},
                }
                for number, (start, end, title) in enumerate(chapters)
            ]
        )
        for number in range(frames):
            rgb = av.VideoFrame.from_ndarray(paint(number), "rgb24")
            frame = rgb.reformat(
                format=pix_fmt,
                src_color_range=2,
                dst_colorspace=matrix,
                dst_color_range=2 if full else 1,
            )
            frame.pts = times[number] if times else number
            frame.time_base = time_base or 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound:
            add_sound(out, sound, audio_end_s or float(frames / rate), audio_at_s)
    return path


def add_sound(out: Any, sound: Any, end_s: float, begin_s: int = 0) -> None:
    """Encode a tone."""
    step = sound.codec_context.frame_size or 1024
    channels = sound.codec_context.layout.nb_channels
    form = sound.codec_context.format.name
    for start in range(begin_s * SAMPLES, int(end_s * SAMPLES), step):
        wave = 0.3 * np.sin(np.arange(start, start + step) * 0.05)
        samples = np.tile(wave.astype(np.float32), (channels, 1))
        if form.startswith("s16"):
            samples = np.ascontiguousarray((samples.T * 32767).astype(np.int16).reshape(1, -1))
        frame: Any = av.AudioFrame.from_ndarray(samples, form, sound.codec_context.layout.name)
        frame.sample_rate, frame.pts = SAMPLES, start
        out.mux(sound.encode(frame))
    out.mux(sound.encode())


def turn(path: Path, matrix: Sequence[int]) -> None:
    """Give an MP4 a display matrix: a, b, c and d, each -1, 0 or 1."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (each * 65536 for each in matrix)
    struct.pack_into(">9i", content, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)


def annex_b(path: Path) -> bytes:
    """H.264 without a container: packets with start codes in place of lengths."""
    found = []
    for _, _, content in packets(path, "video"):
        at = 0
        while at < len(content):
            size = int.from_bytes(content[at : at + 4], "big")
            found.append(b"\0\0\0\1" + content[at + 4 : at + 4 + size])
            at += 4 + size
    return b"".join(found)


def packets(path: Path, kind: str) -> list[tuple[int | None, int | None, bytes]]:
    """Times, durations and bytes of the packets of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = next(each for each in container.streams if each.type == kind)
        return [
            (packet.pts, packet.duration, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


def frame_times(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    with av.open(str(path)) as container:
        return [
            frame.pts * frame.time_base
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]


def levels(path: Path) -> list[float]:
    """The mean of the red of each frame."""
    with av.open(str(path)) as container:
        return [
            float(frame.to_ndarray(format="rgb24")[..., 0].mean())
            for frame in container.decode(video=0)
        ]


def frames_of(path: Path, matrix: int = 5, *, full: bool = False) -> list[Pixels]:
    """All frames in RGB."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            rgb = frame.reformat(
                format="rgb24",
                src_colorspace=matrix,
                src_color_range=2 if full else 1,
                dst_color_range=2,
                interpolation="BICUBIC",
            )
            found.append(np.asarray(rgb.to_ndarray(), np.uint8))
        return found


def duration(path: Path) -> float:
    """Of a file, in seconds."""
    with av.open(str(path)) as container:
        return float(container.duration or 0) / 1_000_000
