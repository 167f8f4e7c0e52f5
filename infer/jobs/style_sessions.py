"""Styles that are ready to be used, by one thread or by many."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from nst.infer.engine.metadata import ValueRange
from nst.infer.jobs.batch import Crew, Halt
from nst.infer.jobs.one_photo import Painted, Style
from nst.infer.memory import NETWORK_BYTES, usable_bytes
from nst.infer.stylizer import Stylizer
from nst.infer.treatment import AS_TRAINED, Treatment, treat

WORKER_BYTES = 400_000_000
"""What each of several networks should have: ``TransformerNet`` needs it for small tiles."""


@dataclass(frozen=True)
class StyleSettings:
    """Styles, and how they are used.

    Attributes:
        files: the models.
        treatment: how pictures are to be stylized.
        value_range: of models from elsewhere; None is measured.
        threads: processor threads to use in all; None is a thread per core.
        device: that the networks run on.
        max_memory: bytes that all networks together may take; None is what is free, capped.
    """

    files: Sequence[Path]
    treatment: Treatment = AS_TRAINED
    value_range: ValueRange | None = None
    threads: int | None = None
    device: str = "cpu"
    max_memory: int | None = None


def open_styles(
    settings: StyleSettings,
    crew: Crew,
    halt: Halt,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Callable[[bool], Sequence[Style]]:
    """Open all styles.

    Args:
        settings: the styles, and how they are used.
        crew: how the cores are shared out.
        halt: what is looked at between two tiles.
        on_progress: see ``Stylizer.stylize_image``.
    Returns:
        A function that gives the styles: with True those that use all cores for one photo.
    Raises:
        UserError: if a style cannot be used.
    """
    turn = nullcontext() if settings.device == "cpu" else threading.Lock()  # there is one GPU

    @cache
    def opened(threads: int | None, max_memory: int | None) -> list[Style]:
        stylizers = [
            Stylizer(
                file,
                value_range=settings.value_range,
                threads=threads,
                device=settings.device,
                max_memory=max_memory,
            )
            for file in settings.files
        ]
        return [
            ready(stylizer, settings.treatment, turn, halt, on_progress) for stylizer in stylizers
        ]

    wide = (settings.threads, settings.max_memory)
    many = crew.workers > 1 and settings.device == "cpu"
    narrow = (crew.threads, share_memory(crew, settings.max_memory)) if many else wide
    opened(*narrow)
    return lambda alone: opened(*wide) if alone else opened(*narrow)


def ready(
    stylizer: Stylizer,
    treatment: Treatment,
    turn: AbstractContextManager[object],
    halt: Halt,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Style:
    """A style that waits for its turn and looks at a request to end between two tiles."""

    def progress(share: float) -> None:
        halt.check()
        on_progress(share)

    def stylize(image: Image.Image) -> Painted:
        with turn:
            tiling = stylizer.tiling(*treatment.seen_size(*image.size))
            stylized = treat(stylizer, image, treatment, on_progress=progress)
        return Painted(stylized, tiling)

    return Style(stylizer.model.stem, stylize)


def workers_in(max_memory: int | None) -> int:
    """How many networks fit into the memory that there is, at least 1."""
    memory = usable_bytes() if max_memory is None else max_memory
    if memory is None:
        memory = NETWORK_BYTES
    return max(1, memory // WORKER_BYTES)


def share_memory(crew: Crew, max_memory: int | None = None) -> int | None:
    """Bytes that the network of a worker may take; None leaves it to the network."""
    if max_memory is not None:
        return max_memory // crew.workers
    usable = usable_bytes()
    if usable is None or usable / crew.workers >= NETWORK_BYTES:
        return None
    return usable // crew.workers
