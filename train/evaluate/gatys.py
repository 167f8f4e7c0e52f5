"""How much optimisation of a single picture a model is worth.

For a photo, the loss that L-BFGS reaches from noise is recorded after each evaluation of the loss
and its gradient. A model is worth as many evaluations as the curve takes to reach its loss. The
curve does not depend on the model, so it is kept on disk.
"""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from nst.infer.files import atomic_write, ensure_folder
from nst.models import VGGFeatures
from nst.models.perceptual_loss import DEFAULT_STYLE_WEIGHT
from nst.train.evaluate.perceptual import PerceptualJudge
from nst.train.optimize.descent import Descent, Step, noise_like
from nst.train.optimize.objective import Objective, ObjectiveSettings, Painting

CURVE_STEPS = 150
REFERENCE_STEPS = 100
SIZE_PX = 256
VERSION = 2
"""Counts up when the optimisation changes, so that old curves are not taken for new ones."""


class GatysScore(NamedTuple):
    """What a model's picture is worth.

    Attributes:
        evaluations: of loss and gradient until the optimised picture is as good; the length of the
            curve if it never is.
        reached: whether it is within the curve.
        ratio: the model's loss beside that after 100 evaluations.
    """

    evaluations: int
    reached: bool
    ratio: float


def worth(total: float, curve: Sequence[float]) -> GatysScore:
    """Compare the loss of a model's picture with a curve, lowest loss so far per evaluation."""
    reached = [number for number, loss in enumerate(curve, start=1) if loss <= total]
    reference = curve[min(REFERENCE_STEPS, len(curve)) - 1]
    return GatysScore(reached[0] if reached else len(curve), bool(reached), total / reference)


class GatysCurves:
    """Curves for one painting and one loss, computed where they are not on disk.

    Args:
        judge: the painting and the loss.
        cache: folder for the curves; it is made.
    Raises:
        UserError: if the folder cannot be made or written to.
    """

    def __init__(self, judge: PerceptualJudge, *, cache: Path) -> None:
        self.judge = judge
        self.cache = cache
        self.judged_by = weights_digest(judge.vgg)
        ensure_folder(cache)
        self.settings = ObjectiveSettings(
            form="relative",
            content_layers=judge.content_layers,
            style_layers=judge.style_layers,
            content_weight=1.0,
            style_weight=DEFAULT_STYLE_WEIGHT,
        )

    def curve(self, photo: Tensor, on_step: Callable[[int], None] = lambda _: None) -> list[float]:
        """Lowest loss so far after each evaluation, from noise; of the picture before clamping.

        Args:
            photo: (1, 3, H, W), RGB in [0, 1].
            on_step: called with the number of each evaluation that has to be made.
        Raises:
            UserError: if the cache cannot be written.
        """
        path = self.cache / f"{self.key(photo)}.json"
        known = read_curve(path)
        if known is not None:
            return known
        curve = self.optimize(photo, on_step)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(curve))
        return curve

    def key(self, photo: Tensor) -> str:
        """Name of the curve: everything that it depends on."""
        digest = hashlib.sha256()
        for image in (photo, self.judge.painting):
            pixels = image.mul(255).round().byte().cpu().numpy()
            digest.update(np.ascontiguousarray(pixels).tobytes())
            digest.update(str(tuple(image.shape)).encode())
        vgg = self.judge.vgg
        loss = (self.settings, self.judged_by, vgg.padding, vgg.dtype)
        digest.update(repr((VERSION, CURVE_STEPS, loss)).encode())
        return digest.hexdigest()[:32]

    def optimize(self, photo: Tensor, on_step: Callable[[int], None]) -> list[float]:
        """Compute a curve."""
        photo = photo.to(self.judge.vgg.device)
        objective = Objective(
            self.settings,
            vgg=self.judge.vgg,
            content=photo,
            paintings=[Painting(self.judge.painting)],
        )
        descent = Descent(noise_like(photo, seed=0), objective)
        curve: list[float] = []

        def record(step: Step) -> None:
            curve.append(min(curve[-1] if curve else math.inf, float(step.terms.total)))
            on_step(step.number)

        descent.on_step = record
        descent.run(CURVE_STEPS)
        return curve


def weights_digest(vgg: VGGFeatures) -> str:
    """Tells VGGs of other weights apart, whatever their files are called."""
    digest = hashlib.sha256(vgg.arch.encode())
    for name, buffer in vgg.named_buffers():
        digest.update(name.encode())
        digest.update(buffer.float().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def read_curve(path: Path) -> list[float] | None:
    """A curve from the cache; None if it is not there, or damaged."""
    try:
        curve = [float(loss) for loss in json.loads(path.read_text())]
    except (OSError, TypeError, ValueError):
        return None
    return curve if len(curve) == CURVE_STEPS else None
