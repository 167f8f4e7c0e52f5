"""All measures over a folder of photos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nst.infer.errors import UserError
from nst.infer.pictures.images import on_white, read_image
from nst.train.evaluate.gatys import SIZE_PX as GATYS_SIZE_PX
from nst.train.evaluate.gatys import GatysCurves, worth
from nst.train.evaluate.grid import MIN_SIDE_PX, grid_energy
from nst.train.evaluate.perceptual import PerceptualJudge, PerceptualScore
from nst.train.evaluate.stability import Frame, flicker, warp_errors
from nst.train.evaluate.structure import luminance, structure_kept
from nst.train.evaluate.subjects import Subject, as_tensor
from nst.train.painting import at_size, shrunk_size, to_picture

NO_WORTH = {"gatys": None, "gatys/reached": None, "gatys/ratio": None}


class Photo(NamedTuple):
    """One photo at the size of the evaluation: its file, bytes (H, W, 3), tensor (1, 3, H, W)."""

    file: Path
    frame: Frame
    image: Tensor


class Spread(NamedTuple):
    """Mean and sample standard deviation over the photos; None for a single photo."""

    mean: float
    deviation: float | None


@dataclass
class Result:
    """What was measured of one subject.

    Attributes:
        name: of the subject.
        values: measure to one value per photo, None where a photo has none.
        cost: measure to value; empty where there is no model file.
        pictures: the first stylized pictures, for looking at.
    """

    name: str
    values: dict[str, list[float | None]] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    pictures: list[Frame] = field(default_factory=list)

    def add(self, values: Mapping[str, float | None]) -> None:
        """Append the values of one photo."""
        for measure, value in values.items():
            self.values.setdefault(measure, []).append(value)

    def spread(self, measure: str) -> Spread | None:
        """Over the photos; None if it was not measured."""
        values = [value for value in self.values.get(measure, ()) if value is not None]
        if not values:
            return None
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return Spread(float(np.mean(values)), deviation)


@dataclass(frozen=True)
class Judges:
    """What pictures are compared with.

    Attributes:
        main: the painting under the VGG chosen.
        other: the same under the other VGG; None if its weights cannot be had.
        curves: for the Gatys-equivalent; None leaves it out.
        curve_photos: how many photos get a curve.
    """

    main: PerceptualJudge
    other: PerceptualJudge | None = None
    curves: GatysCurves | None = None
    curve_photos: int = 0


def read_photos(
    files: Sequence[Path],
    *,
    long_side_px: int,
    check_size: Callable[[tuple[int, int]], None] = lambda _: None,
    on_unusable: Callable[[str], None] = lambda _: None,
) -> Iterator[Photo]:
    """Photos one after another, at the size of the evaluation.

    Args:
        files: those that cannot be read or are under 64 px on a side are reported and left out.
        long_side_px: larger ones are shrunk to this.
        check_size: raises a UserError for a width and height that are too much.
        on_unusable: called with one line for each that is left out.
    """
    for file in files:
        try:
            picture = on_white(read_image(file, draft_px=long_side_px))
            check_size(shrunk_size(picture, long_side_px))
        except UserError as error:
            on_unusable(str(error))
            continue
        frame = np.asarray(to_picture(at_size(picture, long_side_px)[0]))
        if min(frame.shape[:2]) < MIN_SIDE_PX:
            size = f"{frame.shape[1]}x{frame.shape[0]}"
            on_unusable(f"{file} is {size} px: it needs {MIN_SIDE_PX} px on each side")
            continue
        yield Photo(file, frame, as_tensor(frame))


def judge_photo(
    photo: Photo, subjects: Sequence[Subject], judges: Judges
) -> list[tuple[Frame, dict[str, float]]]:
    """The picture of each subject and its values. What belongs to the photo is computed once."""
    target = judges.main.content_target(photo.image)
    other_target = judges.other.content_target(photo.image) if judges.other else {}
    plane = as_plane(photo.image)
    found = []
    for subject in subjects:
        frame = subject.picture(photo.frame, photo.file)
        image = as_tensor(frame)
        values = losses(judges.main.score(image, target))
        if judges.other:
            scored = losses(judges.other.score(image, other_target))
            values |= {f"other/{measure}": value for measure, value in scored.items()}
        values["ssim"] = structure_kept(image, photo.image)
        grid = grid_energy(as_plane(image), plane)
        values["grid"] = grid.total
        values |= {f"grid/{period}": value for period, value in grid.by_period.items()}
        if subject.stylize is not None:
            errors = warp_errors(subject.stylize, photo.frame, frame)
            values |= {f"e_warp/{size:g}": error for size, error in errors.items()}
            values["e_warp"] = float(np.mean(list(errors.values())))
            values["flicker"] = flicker(subject.stylize, photo.frame)
        found.append((frame, values))
    return found


def losses(score: PerceptualScore) -> dict[str, float]:
    """A score as measures: total, content, style, and content/LAYER, style/LAYER."""
    return {
        "total": score.total,
        "content": score.content,
        "style": score.style,
        **{f"content/{layer}": value for layer, value in score.content_by_layer.items()},
        **{f"style/{layer}": value for layer, value in score.style_by_layer.items()},
    }


def gatys_values(
    photo: Photo,
    subjects: Sequence[Subject],
    curves: GatysCurves,
    on_step: Callable[[int], None] = lambda _: None,
) -> list[dict[str, float | None]]:
    """What the subjects' pictures of one photo are worth, at the size of the curves.

    A photo that is too narrow at that size gives no values, and ready pictures give none: their
    strokes would shrink with them.
    """
    small = to_picture(at_size(to_picture(photo.image[0]), GATYS_SIZE_PX)[0])
    frame = np.asarray(small)
    image = as_tensor(frame)
    stylizers = [subject.stylize for subject in subjects]
    narrow = min(image.shape[-2:]) < curves.judge.vgg.min_side_px(curves.judge.vgg.layers)
    if narrow or not any(stylizers):
        return [dict(NO_WORTH) if stylize else {} for stylize in stylizers]
    curve = curves.curve(image, on_step)
    target = curves.judge.content_target(image)
    found: list[dict[str, float | None]] = []
    for stylize in stylizers:
        if stylize is None:
            found.append({})
            continue
        total = curves.judge.score(as_tensor(stylize(frame)), target).total
        score = worth(total, curve)
        found.append(
            {
                "gatys": float(score.evaluations),
                "gatys/reached": float(score.reached),
                "gatys/ratio": score.ratio,
            }
        )
    return found


def as_plane(image: Tensor) -> NDArray[np.float64]:
    """(1, 3, H, W) to its luminance, (H, W)."""
    plane: NDArray[np.float64] = luminance(image)[0, 0].double().numpy()
    return plane
