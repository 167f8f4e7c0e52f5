"""From a small picture to a large one: large shapes first, then strokes, then brush hairs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from nst.models import VGGFeatures
from nst.models.perceptual_loss import LossTerms
from nst.train.optimize.descent import Descent, OptimizerName, noise_like
from nst.train.optimize.objective import Objective, ObjectiveSettings, Painting
from nst.train.painting import at_size

COARSEST_PX = 256


class Scale(NamedTuple):
    """One size on the way: longer side in pixels, and evaluations of the loss spent there."""

    long_side_px: int
    steps: int


class Pictures(NamedTuple):
    """What an optimisation is made from, RGB pictures at their full sizes.

    ``start`` None is noise. ``style_scale`` is the size of the paintings' longer side relative to
    the result's; more gives larger strokes.
    """

    content: Image.Image
    paintings: Sequence[tuple[Image.Image, float]]
    start: Image.Image | None
    style_scale: float = 1.0


class Moment(NamedTuple):
    """Where an optimisation is.

    ``step`` counts over all scales, ``picture`` is the best so far, (1, 3, H, W), not clamped.
    """

    step: int
    terms: LossTerms
    picture: Tensor


def plan_scales(long_side_px: int, *, steps: int, scales: int | None = None) -> list[Scale]:
    """Divide the steps over sizes that double.

    Args:
        long_side_px: longer side of the result.
        steps: in all; each size gets the same number, what is left over goes to the first.
        scales: how many sizes; None begins at 256 px or above.
    Returns:
        From small to large.
    Raises:
        ValueError: if there are fewer steps than scales.
    """
    if scales is None:
        scales = 1
        while long_side_px >> scales >= COARSEST_PX:
            scales += 1
        scales = min(scales, steps)
    if not 1 <= scales <= steps:
        raise ValueError(f"{steps} steps are too few for {scales} scales")
    each, rest = divmod(steps, scales)
    sizes = [long_side_px >> number for number in reversed(range(scales))]
    return [Scale(size, each + (rest if place == 0 else 0)) for place, size in enumerate(sizes)]


class CoarseToFine:
    """An optimisation over several sizes.

    Args:
        pictures: what it is made from.
        settings: the objective.
        vgg: must give ``settings.layers``.
        scales: from small to large.
        optimizer: ``lbfgs`` or ``adam``.
        seed: of the noise to start from.
        on_moment: called after each evaluation of the loss.
    Attributes:
        descent: the optimisation at the present size, None before the first. Its ``best`` is there
            at any time.
    """

    def __init__(
        self,
        pictures: Pictures,
        settings: ObjectiveSettings,
        *,
        vgg: VGGFeatures,
        scales: Sequence[Scale],
        optimizer: OptimizerName = "lbfgs",
        seed: int = 0,
        on_moment: Callable[[Moment], None] = lambda _: None,
    ) -> None:
        self.pictures = pictures
        self.settings = settings
        self.vgg = vgg
        self.scales = scales
        self.optimizer: OptimizerName = optimizer
        self.seed = seed
        self.on_moment = on_moment
        self.descent: Descent | None = None

    @property
    def best(self) -> Tensor | None:
        """The best picture of the present scale, (1, 3, H, W); None before the first."""
        return None if self.descent is None else self.descent.best

    def run(self) -> Tensor:
        """Go through all scales. Returns the picture, (1, 3, H, W), RGB around [0, 1]."""
        done = 0
        for scale in self.scales:
            self.descent = self.begin(scale, done)
            self.descent.run(scale.steps, optimizer=self.optimizer)
            done += scale.steps
        assert self.descent is not None
        return self.descent.best

    def begin(self, scale: Scale, done: int) -> Descent:
        """The optimisation at one scale, after ``done`` steps at others."""
        content = at_size(self.pictures.content, scale.long_side_px).to(self.vgg.device)
        objective = Objective(
            self.settings, vgg=self.vgg, content=content, paintings=self.paintings(scale)
        )
        start = self.first_picture(content) if self.best is None else resize(self.best, content)
        descent = Descent(start, objective)
        descent.on_step = lambda step: self.on_moment(
            Moment(done + step.number, step.terms, descent.best)
        )
        return descent

    def painting_size_px(self, scale: Scale) -> int:
        """Longer side of the paintings that belongs to a scale."""
        return round(scale.long_side_px * self.pictures.style_scale)

    def paintings(self, scale: Scale) -> list[Painting]:
        """The paintings at the size that belongs to a scale."""
        return [
            Painting(at_size(picture, self.painting_size_px(scale)).to(self.vgg.device), weight)
            for picture, weight in self.pictures.paintings
        ]

    def first_picture(self, content: Tensor) -> Tensor:
        """What the coarsest scale begins with, of the content's size."""
        if self.pictures.start is not None:
            start = at_size(self.pictures.start, max(content.shape[-2:]))
            return resize(start.to(content.device), content)
        return noise_like(content, seed=self.seed)


def resize(image: Tensor, like: Tensor) -> Tensor:
    """(1, 3, H, W) to the height and width of ``like``."""
    size = like.shape[-2:]
    return F.interpolate(image, size=size, mode="bicubic", antialias=True).clamp(0, 1)
