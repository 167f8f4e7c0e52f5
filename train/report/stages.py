"""What the network made of the fixed photos, cut from the previews of a run."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from nst.infer.errors import UserError
from nst.infer.pictures.images import on_white, read_image
from nst.train.callbacks.previews import PREVIEWS

MOST_STAGES = 5

Size = tuple[int, int]


class Stage(NamedTuple):
    """The photos as they were stylized after a step."""

    step: int
    pictures: list[Image.Image]


def read_stages(folder: Path, sizes: Sequence[Size], *, last_step: int) -> list[Stage]:
    """At most five stages, spread over the run.

    Args:
        folder: of the run.
        sizes: width and height of the photos, in their order in the previews.
        last_step: of the run; what is later belongs to one that was given up.
    Returns:
        From early to late, the last preview among them. Previews that cannot be read, or are of
        other photos, are left out.
    """
    found = preview_files(folder, last_step=last_step)
    stages = []
    for step in spread_steps(sorted(found), MOST_STAGES):
        try:
            strip = on_white(read_image(found[step]))
        except UserError:
            continue
        if fits(strip, sizes):
            stages.append(Stage(step, cut(strip, sizes)))
    return stages


def preview_files(folder: Path, *, last_step: int) -> dict[int, Path]:
    """Steps and their previews."""
    found = {}
    for path in (folder / PREVIEWS).glob("step_*.png"):
        match = re.fullmatch(r"step_(\d+)", path.stem)
        if match and int(match[1]) <= last_step:
            found[int(match[1])] = path
    return found


def spread_steps(steps: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the sorted steps, with the first and the last.

    The early ones are closer together: that is where most happens.
    """
    if len(steps) <= count:
        return list(steps)
    chosen = [0]
    for part in range(1, count):
        share = (part / (count - 1)) ** 2
        chosen.append(max(chosen[-1] + 1, round(share * (len(steps) - 1))))
    return [steps[index] for index in chosen]


def fits(strip: Image.Image, sizes: Sequence[Size]) -> bool:
    """Whether a preview shows photos of these sizes."""
    if not sizes:
        return False
    return strip.size == (sum(width for width, _ in sizes), 2 * max(height for _, height in sizes))


def cut(strip: Image.Image, sizes: Sequence[Size]) -> list[Image.Image]:
    """The upper half of a preview as one picture per photo."""
    pictures, left = [], 0
    for width, height in sizes:
        pictures.append(strip.crop((left, 0, left + width, height)))
        left += width
    return pictures
