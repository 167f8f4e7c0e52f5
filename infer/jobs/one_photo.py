"""One photo, from its file to its results."""

import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from nst.infer.engine.tiling.tiles import WHOLE, Tiling
from nst.infer.errors import UserError
from nst.infer.files import ensure_folder, is_folder
from nst.infer.jobs.batch import Gate, Halt
from nst.infer.jobs.outputs import FileId, Job, check_target, is_there
from nst.infer.pictures.animation import ANIMATED_FORMATS, stylize_animation
from nst.infer.pictures.images import Source, format_of, has_alpha, write_encoded
from nst.infer.pictures.photo import Photo, encode_photo, read_photo, read_size
from nst.infer.pictures.pixel_limit import MAX_PIXELS


class Painted(NamedTuple):
    """What a network made of a picture.

    Attributes:
        image: mode "RGB" or "RGBA".
        tiling: into what the picture was cut.
    """

    image: Image.Image
    tiling: Tiling = WHOLE


class Style(NamedTuple):
    """A style that is ready to be used.

    Attributes:
        name: what the model calls itself.
        stylize: turns a picture of mode "RGB" or "RGBA". Several threads may call it.
    """

    name: str
    stylize: Callable[[Image.Image], Painted]


@dataclass
class Seconds:
    """How long the stages of a result took."""

    read: float = 0.0
    network: float = 0.0
    write: float = 0.0

    @contextmanager
    def spent_on(self, stage: str) -> Iterator[None]:
        """Add the time that the body takes to a stage."""
        start = time.perf_counter()
        yield
        setattr(self, stage, getattr(self, stage) + time.perf_counter() - start)

    @property
    def total(self) -> float:
        """All of it."""
        return self.read + self.network + self.write


@dataclass
class Outcome:
    """What became of one result.

    Attributes:
        source: the photo.
        target: the file.
        style: name of the style.
        size: width and height in pixels, None if there is no new result.
        seconds: how long it took; with several styles reading counts for the first.
        tiling: into what the picture was cut, or the last frame of an animation.
        error: why there is no result.
        skipped: whether the file was there before.
        notices: what the user should know about it.
    """

    source: Source
    target: Path
    style: str
    size: tuple[int, int] | None = None
    seconds: Seconds = field(default_factory=Seconds)
    tiling: Tiling = WHOLE
    error: UserError | None = None
    skipped: bool = False
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Studio:
    """Makes the results of photos; threads may share one.

    Attributes:
        styles: all of them; True asks for those that use all cores for one photo.
        gate: where photos wait for memory.
        halt: what is looked at between two stages.
        inputs: of files that are never written over.
        overwrite: whether results that are there are made again.
        quality: 1 to 100, for formats that have one; None is the photo's own.
        max_pixels: the most that a picture may have.
        seen_size: width and height at which the networks see a picture of some size.
    """

    styles: Callable[[bool], Sequence[Style]]
    gate: Gate
    halt: Halt
    inputs: Set[FileId] = frozenset()
    overwrite: bool = False
    quality: int | None = None
    max_pixels: int = MAX_PIXELS
    seen_size: Callable[[int, int], tuple[int, int]] = lambda width, height: (width, height)

    def results(self, job: Job) -> Iterator[Outcome]:
        """Make all results of a photo, which is decoded once.

        Args:
            job: the photo and its results.
        Yields:
            An outcome per result; a failure is one, too.
        Raises:
            Halted: if the work is to end.
        """
        names = [style.name for style in self.styles(False)]
        wanted: dict[int, Outcome] = {}
        for number, (target, name) in enumerate(zip(job.targets, names, strict=True)):
            outcome = Outcome(job.picture, target, name)
            if self._is_wanted(outcome):
                wanted[number] = outcome
            else:
                yield outcome
        try:
            if wanted:
                yield from self._made(job.picture, wanted)
        except UserError as error:  # the photo cannot be read, so that none was made
            yield from (replace(outcome, error=error) for outcome in wanted.values())

    def encode(self, source: Source, photo: Photo, style: Style, outcome: Outcome) -> memoryview:
        """Stylize a photo and encode the result.

        Args:
            source: the photo.
            photo: what was read of it.
            style: to use.
            outcome: its target names the format; size, time, tiling and notices are put in.
        Raises:
            UserError: if the style cannot be used on it, or the format cannot hold it.
            Halted: if the work is to end.
        """

        def stylize(image: Image.Image) -> Image.Image:
            self.halt.check()
            with outcome.seconds.spent_on("network"):
                painted = style.stylize(image)
            outcome.tiling = painted.tiling
            outcome.size = painted.image.size
            self.halt.check()
            return painted.image

        outcome.notices += notices(source, photo, format_of(outcome.target))
        if is_animation(photo, format_of(outcome.target)):
            start, network = time.perf_counter(), outcome.seconds.network
            encoded = stylize_animation(
                source, outcome.target, stylize, quality=self.quality, max_pixels=self.max_pixels
            )
            spent = time.perf_counter() - start - (outcome.seconds.network - network)
            outcome.seconds.write += spent
            return encoded
        stylized = stylize(photo.image)
        with outcome.seconds.spent_on("write"):
            return encode_photo(stylized, outcome.target, photo, quality=self.quality)

    def _is_wanted(self, outcome: Outcome) -> bool:
        """Whether a result is to be made; if not, the outcome says why."""
        try:
            outcome.skipped = is_there(outcome.target, self.inputs) and not self.overwrite
            if not outcome.skipped:
                with self.halt.writing():
                    if not is_folder(outcome.target.parent):
                        ensure_folder(outcome.target.parent)
                    check_target(outcome.target)
        except UserError as error:
            outcome.error = error
        return not outcome.skipped and outcome.error is None

    def _made(self, source: Source, wanted: dict[int, Outcome]) -> Iterator[Outcome]:
        width, height = read_size(source, max_pixels=self.max_pixels)
        seen_width, seen_height = self.seen_size(width, height)
        with self.gate.admit(max(width * height, seen_width * seen_height)) as alone:
            self.halt.check()
            styles = self.styles(alone)
            reading = Seconds()
            with reading.spent_on("read"):
                photo = read_photo(source, max_pixels=self.max_pixels)
            for number, outcome in wanted.items():
                outcome.seconds, reading = reading, Seconds()
                try:
                    encoded = self.encode(source, photo, styles[number], outcome)
                    with self.halt.writing(), outcome.seconds.spent_on("write"):
                        write_encoded(encoded, outcome.target)
                except UserError as error:
                    outcome.error, outcome.size = error, None
                yield outcome


def is_animation(photo: Photo, target: str) -> bool:
    """Whether all frames of a photo go into a format."""
    return photo.frames > 1 and {photo.format, target} <= ANIMATED_FORMATS


def notices(source: Source, photo: Photo, target: str) -> list[str]:
    """What is lost of a photo in a format, as lines for the user."""
    lost = []
    if photo.deep:
        lost.append(f"{source} has more than 8 bits per channel, the result has 8")
    if photo.damaged_profile:
        lost.append(f"{source} has a damaged colour profile, which is left out")
    if photo.image.mode == "RGBA" and not has_alpha(target):
        lost.append(f"{source} is transparent, {target} is not: the result is laid on white")
    if photo.frames > 1 and not is_animation(photo, target):
        lost.append(f"{source} holds {photo.frames} pictures, the result is of the first")
    return lost
