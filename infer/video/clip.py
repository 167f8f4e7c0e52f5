"""One video file stylized into another."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from nst.infer.engine.frames import Frame
from nst.infer.errors import UserError, os_error_reason
from nst.infer.messages import counted
from nst.infer.stylizer import Stylizer
from nst.infer.treatment import Treatment, treat
from nst.infer.video.copied import CopiedStreams
from nst.infer.video.formats import Encoder, find_encoder
from nst.infer.video.partial import complete, make_partial
from nst.infer.video.pipeline import Pipeline
from nst.infer.video.protocol import FrameSource, TimedFrame
from nst.infer.video.reader import VideoReader
from nst.infer.video.timing import OnGrid, repeated
from nst.infer.video.writer import Picture, VideoWriter

Filter = Callable[[Frame, Frame], Frame]
"""Makes a frame of what the network saw and of what it made of it."""


@dataclass(frozen=True, kw_only=True)
class ClipSettings:
    """How a clip is read, stylized and written.

    Attributes:
        treatment: how frames are to be stylized.
        steady: how much frames are held to the ones before them, 0 to 1; None not at all.
        codec: see ``nst.infer.video.formats.find_encoder``.
        crf: see ``nst.infer.video.writer.VideoWriter``.
        rate: frames per second of the result; None is that of the clip, whatever it does.
        start_s, end_s: the range that is stylized; None is the beginning or the end.
        max_pixels: the most that a frame may have.
        workers: frames that are stylized at a time, >= 1.
        cores: threads that decode, and that encode, >= 1.
    """

    treatment: Treatment
    steady: float | None
    codec: str | None
    crf: int | None
    rate: Fraction | None
    start_s: Fraction | None
    end_s: Fraction | None
    max_pixels: int
    workers: int
    cores: int


@dataclass
class ClipOutcome:
    """What became of a clip in one style.

    Attributes:
        source: the clip.
        target: the result.
        style: the name of the style.
        size: width and height of the result, None if there is none.
        frames: that are written.
        seconds: that it took.
        lost_frames: that could not be read.
        notices: what the user should know.
        partial: the file in which what was done is, if the work ended early.
        skipped: whether the result was there already.
        error: why there is no result.
    """

    source: Path
    target: Path
    style: str
    size: tuple[int, int] | None = None
    frames: int = 0
    seconds: float = 0.0
    lost_frames: int = 0
    notices: list[str] = field(default_factory=list)
    partial: Path | None = None
    skipped: bool = False
    error: UserError | None = None


Progress = Callable[[ClipOutcome, float | None], None]
"""Is told after each frame what there is, and the share of the clip, 0 to 1, if it is known."""


def stylize_clip(
    outcome: ClipOutcome,
    stylizer: Stylizer,
    settings: ClipSettings,
    on_progress: Progress = lambda *_: None,
) -> None:
    """Stylize a video file. The result has its name once it is complete.

    Args:
        outcome: says what is read and written, and is told what became of it.
        stylizer: the style.
        settings: how.
        on_progress: is told after each frame.
    Raises:
        UserError: if the clip cannot be read or the result not be written. What there is of it is
            kept under a name that ``partial_path`` gave.
        KeyboardInterrupt: likewise.
    """
    start = time.perf_counter()
    source, target = outcome.source, Path(os.path.realpath(outcome.target))
    encoder = find_encoder(settings.codec, target)
    span = {"start_s": settings.start_s, "end_s": settings.end_s}
    with ExitStack() as stack:
        copied = stack.enter_context(closing(CopiedStreams(source, target, **span)))
        outcome.notices += copied.notices
        reader = VideoReader(
            source,
            **span,
            max_pixels=settings.max_pixels,
            threads=settings.cores,
            result_size=settings.treatment.result_size,
        )
        stack.enter_context(closing(reader))
        partial = stack.enter_context(finished_or_partial(outcome, target))
        writer = open_writer(partial, outcome.target, reader, encoder, copied, settings)
        stack.callback(close_quietly, writer)
        if writer.size != reader.size:
            outcome.notices.append(
                f"{target}: {encoder.name} needs even sizes: the last row or column is repeated"
            )
        write_frames(outcome, reader, writer, stylizer, settings, on_progress)
        writer.copy_rest()
        writer.close()
        outcome.notices += reader.notices
        outcome.lost_frames, outcome.size = reader.lost_frames, writer.size
        outcome.seconds = time.perf_counter() - start


def open_writer(
    partial: Path,
    name: Path,
    reader: VideoReader,
    encoder: Encoder,
    copied: CopiedStreams,
    settings: ClipSettings,
) -> VideoWriter:
    """Open the file that a clip is written to; messages call it by its later name."""
    rate = settings.rate or reader.rate
    picture = Picture(
        reader.size,
        reader.tags,
        reader.aspect,
        rate,
        1 / rate if settings.rate else reader.time_base,
    )
    return VideoWriter(
        partial,
        picture,
        encoder,
        name=name,
        crf=settings.crf,
        copied=copied,
        shift=reader.shift,
        threads=settings.cores,
    )


def write_frames(
    outcome: ClipOutcome,
    reader: VideoReader,
    writer: VideoWriter,
    stylizer: Stylizer,
    settings: ClipSettings,
    on_progress: Progress,
) -> None:
    """Read, stylize and write all frames, side by side."""
    stylize = frame_stylizer(stylizer, settings.treatment)
    steady = open_filter(settings.steady)
    source: FrameSource = OnGrid(reader, settings.rate) if settings.rate else reader

    def work(seen: TimedFrame) -> tuple[TimedFrame, Frame]:
        return seen, stylize(seen.pixels)

    pipeline = Pipeline(source, work, workers=settings.workers)
    with closing(pipeline.run()) as results:
        for seen, stylized in results:
            pixels = steady(seen.pixels, stylized) if steady else stylized
            for frame in repeated(seen._replace(pixels=pixels), settings.rate):
                writer.write(frame)
                outcome.frames = writer.frames
            on_progress(outcome, share_of(seen, reader))


def frame_stylizer(stylizer: Stylizer, treatment: Treatment) -> Callable[[Frame], Frame]:
    """A function that stylizes frames as a user asked for it; they have the result's size."""
    plain = Treatment(strength=treatment.strength, long_side_px=treatment.long_side_px)
    if treatment == plain:
        return lambda frame: stylizer(frame, strength=treatment.strength)
    return lambda frame: np.asarray(treat(stylizer, Image.fromarray(frame), treatment))


def open_filter(steady: float | None) -> Filter | None:
    """What holds frames to the ones before them; None if nothing does."""
    if not steady:
        return None
    from nst.infer.steady import Steadier

    return Steadier(steady)


def share_of(seen: TimedFrame, reader: VideoReader) -> float | None:
    """How much of a clip is done, 0 to 1; None if the file does not tell its length."""
    if not reader.length_s:
        return None
    return min(1.0, (seen.time_s + seen.duration_s - reader.begin_s) / reader.length_s)


@contextmanager
def finished_or_partial(outcome: ClipOutcome, target: Path) -> Iterator[Path]:
    """Give a file its name if the body ends well. Else it keeps its own, if there is a frame in it.

    Yields:
        Where to write.
    Raises:
        UserError: what the body raised, with what is left; or if the file cannot be renamed.
    """
    partial = make_partial(target)
    try:
        yield partial
        complete(partial, target)
    except BaseException as error:
        if not outcome.frames:
            partial.unlink(missing_ok=True)
        elif partial.exists():  # it has its name already if the user was late
            outcome.partial = partial
        told = f"; {left(outcome)}" if outcome.partial else ""
        if isinstance(error, UserError):
            raise UserError(f"{error}{told}") from error.__cause__
        if isinstance(error, OSError):
            raise UserError(f"cannot write {target}: {os_error_reason(error)}{told}") from error
        raise


def left(outcome: ClipOutcome) -> str:
    """What is there of a result that is not complete."""
    return f"what was done, {counted(outcome.frames, 'frame')}, is in {outcome.partial}"


def close_quietly(writer: VideoWriter) -> None:
    """Finish what was written, after an error that will be told."""
    with suppress(UserError):
        writer.close()
