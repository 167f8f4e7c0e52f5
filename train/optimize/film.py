"""The picture as it evolved: snapshots, a film strip, a video."""

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst.infer.files import atomic_write, ensure_folder
from nst.infer.pictures.contact_sheet import Cell, contact_sheet
from nst.infer.pictures.images import write_image

STRIP_FRAMES = 6
STRIP_HEIGHT_PX = 320
FRAMES_PER_S = 8
LAST_FRAME_S = 2


class Snapshot(NamedTuple):
    """A file that holds the picture as it was at some step."""

    step: int
    path: Path


class Film:
    """Writes snapshots into a folder: the first picture, and every so many steps.

    Args:
        folder: is made with the first snapshot; those of an earlier run in it are removed then.
        every: steps between two snapshots.
    Attributes:
        snapshots: those written so far.
    """

    def __init__(self, folder: Path, *, every: int) -> None:
        self.folder = folder
        self.every = every
        self.snapshots: list[Snapshot] = []

    def is_due(self, step: int) -> bool:
        """Whether there is a snapshot of this step, which counts from 1."""
        return step == 1 or step % self.every == 0

    def add(self, step: int, picture: Image.Image) -> None:
        """Write a snapshot, once per step.

        Raises:
            UserError: if the folder cannot be made or written to.
        """
        if not self.snapshots:
            ensure_folder(self.folder)
            for old in self.folder.glob("step_*.png"):
                old.unlink()
        elif self.snapshots[-1].step == step:
            return
        path = self.folder / f"step_{step:05d}.png"
        write_image(picture, path)
        self.snapshots.append(Snapshot(step, path))


def strip_choice(count: int, frames: int = STRIP_FRAMES) -> list[int]:
    """Which of ``count`` snapshots to show: the first, the last, and the early ones more densely.

    A picture changes most in its first steps.
    """
    if count <= frames:
        return list(range(count))
    ratio = (count - 1) ** (1 / (frames - 1))
    chosen: list[int] = [0]
    for frame in range(1, frames):
        chosen.append(max(chosen[-1] + 1, round(ratio**frame)))
    return [min(index, count - frames + place) for place, index in enumerate(chosen)]


def film_strip(snapshots: Sequence[Snapshot]) -> Image.Image:
    """Some of the snapshots side by side, with their steps below."""
    cells = []
    for index in strip_choice(len(snapshots)):
        step, path = snapshots[index]
        with Image.open(path) as picture:
            cells.append(Cell(picture.convert("RGB"), f"step {step}"))
    return contact_sheet([cells], height_px=min(STRIP_HEIGHT_PX, cells[-1].picture.height))


def write_video(snapshots: Sequence[Snapshot], path: Path) -> None:
    """All snapshots as an H.264 video of the last one's size; the last one stays a while.

    Args:
        snapshots: at least one.
        path: the file to write, .mp4.
    Raises:
        UserError: if the file cannot be written.
        ModuleNotFoundError: if the extra ``video`` is not installed.
    """
    import av  # the rest of the program works without it

    with Image.open(snapshots[-1].path) as last:
        width, height = (math.ceil(side / 2) * 2 for side in last.size)  # yuv420p halves both
    repeats = [1] * (len(snapshots) - 1) + [LAST_FRAME_S * FRAMES_PER_S]
    with atomic_write(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(FRAMES_PER_S))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "16", "preset": "medium"}
        for snapshot, repeat in zip(snapshots, repeats, strict=True):
            with Image.open(snapshot.path) as picture:
                scaled = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
            for _ in range(repeat):
                frame = av.VideoFrame.from_ndarray(np.asarray(scaled), format="rgb24")
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
