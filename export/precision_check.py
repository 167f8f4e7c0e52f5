"""Whether a graph in lower precision still gives the pictures of the one in float32."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

from nst.export.check_photos import CheckPhotos, frames_at, load_check_photos
from nst.export.form import GraphForm
from nst.export.graph import OUTPUT
from nst.export.parity import (
    ParityError,
    feed,
    in_levels,
    open_session,
    require_whole_pictures,
)
from nst.export.precision import to_half, to_int8
from nst.export.stored_weights import store_weights
from nst.infer.engine.graph import required_knobs
from nst.infer.engine.metadata import Precision, Weights
from nst.infer.errors import UserError
from nst.infer.styles import packaged_photo
from nst.models import StyleLoss, VGGFeatures
from nst.models.perceptual_loss import DEFAULT_STYLE_LAYERS

LEAST_PSNR_DB = {"fp16": 50.0, "int8": 32.0, "weights in fp16": 50.0, "weights in int8": 40.0}
LARGEST_STYLE_CHANGE = 0.03
CHECK_SIZE = (400, 600)
"""Height and width of the package's photo."""


@dataclass(frozen=True)
class LowerPrecision:
    """How a graph in lower precision is made and judged.

    Args:
        precision: of the arithmetic; ``fp32`` where only the weights are stored in fewer bits.
        photos: folder to calibrate int8 with, and to judge on; None judges on the photo of the
            package.
        force: take it however far it is from float32.
        weights: in which they are stored where the precision is ``fp32``.
    """

    precision: Precision = "fp32"
    photos: Path | None = None
    force: bool = False
    weights: Weights = "fp32"

    @property
    def name(self) -> str:
        """For instance ``int8`` or ``weights in int8``."""
        return f"weights in {self.weights}" if self.precision == "fp32" else self.precision


@dataclass(frozen=True)
class PrecisionReport:
    """How far a graph in lower precision is from the one in float32.

    Attributes:
        name: of ``LowerPrecision``.
        psnr_db: over all photos together; this one is held against the limit.
        worst_psnr_db: of the photo that differs most.
        style_change: of the style loss, 0.01 is one per cent more; None without a painting.
        checks: number of photos it was compared on.
        calibration: number of photos it was calibrated on.
    """

    name: str
    psnr_db: float
    worst_psnr_db: float
    style_change: float | None
    checks: int = 1
    calibration: int = 0

    @property
    def good_enough(self) -> bool:
        """Whether it is as near as its precision should be."""
        change = abs(self.style_change or 0.0)
        return self.psnr_db >= LEAST_PSNR_DB[self.name] and change <= LARGEST_STYLE_CHANGE

    def summary(self) -> str:
        """Part of a line."""
        style = "no painting to compare the style loss with"
        if self.style_change is not None:
            style = f"style loss {self.style_change:+.1%}"
        calibrated = f"calibrated on {self.calibration} photos, " if self.calibration else ""
        photos = "a photo" if self.checks == 1 else f"{self.checks} photos"
        return (
            f"{self.name} ({calibrated}beside fp32 on {photos}: "
            f"PSNR {self.psnr_db:.1f} dB, worst {self.worst_psnr_db:.1f} dB, {style})"
        )


def photos_for(wanted: LowerPrecision, form: GraphForm) -> CheckPhotos:
    """What a precision is calibrated and judged on.

    Raises:
        UserError: if there are too few photos that can be read, or none for int8.
    """
    if wanted.photos is not None:
        calibrate = wanted.precision == "int8"
        return load_check_photos(wanted.photos, calibrate=calibrate, size=form.size)
    if wanted.precision == "int8":
        raise UserError("int8 is calibrated on photos: pass --photos FOLDER, thirty are enough")
    return CheckPhotos([], [frames_at(packaged_photo(), (1, *(form.size or CHECK_SIZE)))])


def lower_precision(
    graph: onnx.ModelProto,
    form: GraphForm,
    wanted: LowerPrecision,
    photos: CheckPhotos,
    *,
    painting: Tensor | None,
) -> tuple[onnx.ModelProto, PrecisionReport]:
    """Turn a graph in float32 into one in lower precision that is near enough.

    Args:
        graph: in float32.
        form: what it takes and gives.
        wanted: the precision, and whether the nearest one is taken however far it is.
        photos: from ``photos_for``.
        painting: (1, 3, H, W), RGB in [0, 1], for the style loss; None leaves that out.
    Raises:
        ParityError: if none is near enough and that is not forced.
    """
    judge = Judge(graph, form, photos, painting)
    tried = []
    for candidate in candidates(graph, form, wanted, photos.calibration):
        report = judge.report(candidate, wanted.name)
        tried.append((candidate, report))
        if report.good_enough:
            break
    candidate, report = max(tried, key=lambda each: (each[1].good_enough, each[1].psnr_db))
    if not report.good_enough and not wanted.force:
        raise ParityError(
            f"{report.summary()} is too far from fp32: asked for are "
            f"{LEAST_PSNR_DB[wanted.name]:g} dB and {LARGEST_STYLE_CHANGE:.0%} of the style "
            "loss; --force writes it all the same"
        )
    require_whole_pictures(open_session(candidate.SerializeToString()), form)
    return candidate, report


def candidates(
    graph: onnx.ModelProto,
    form: GraphForm,
    wanted: LowerPrecision,
    calibration: Sequence[NDArray[np.uint8]],
) -> Iterator[onnx.ModelProto]:
    """Graphs in lower precision, the smallest first."""
    if wanted.precision == "fp32":
        yield store_weights(graph, wanted.weights)
        return
    if wanted.precision == "fp16":
        yield to_half(graph)
        return
    knobs = required_knobs(open_session(graph.SerializeToString()))
    for ends_in_float in (False, True):
        inputs = (feed(frame, form) | knobs for frame in calibration)
        yield to_int8(graph, inputs, ends_in_float=ends_in_float)


class Judge:
    """Compares graphs with one in float32, on photos that none was calibrated on.

    Args:
        reference: in float32.
        form: what all of them take and give.
        photos: its ``checks`` count.
        painting: (1, 3, H, W), RGB in [0, 1], for the style loss; None leaves that out.
    """

    def __init__(
        self,
        reference: onnx.ModelProto,
        form: GraphForm,
        photos: CheckPhotos,
        painting: Tensor | None,
    ) -> None:
        self.form = form
        self.photos = photos
        self.expected = results(reference, photos.checks, form)
        self.style = None if painting is None else MeanStyleLoss(painting)
        self.expected_style = self.style(self.expected) if self.style else 0.0

    def report(self, candidate: onnx.ModelProto, name: str) -> PrecisionReport:
        """How far a graph is from the reference."""
        found = results(candidate, self.photos.checks, self.form)
        errors = [
            float(np.square(one - other).mean())
            for one, other in zip(self.expected, found, strict=True)
        ]
        return PrecisionReport(
            name,
            psnr_db(float(np.mean(errors))),
            psnr_db(max(errors)),
            self.style(found) / self.expected_style - 1 if self.style else None,
            checks=len(self.photos.checks),
            calibration=len(self.photos.calibration),
        )


def results(
    graph: onnx.ModelProto, frames: Sequence[NDArray[np.uint8]], form: GraphForm
) -> list[NDArray[np.float32]]:
    """What a graph makes of each frame, in levels."""
    session = open_session(graph.SerializeToString())
    knobs = required_knobs(session)
    return [in_levels(session.run([OUTPUT], feed(frame, form) | knobs)[0]) for frame in frames]


def psnr_db(mean_square_levels: float) -> float:
    """Of a mean square difference in levels of 255."""
    return 10 * math.log10(255**2 / mean_square_levels) if mean_square_levels else math.inf


class MeanStyleLoss:
    """Mean relative style loss of (1, H, W, 3), 0 to 255, each.

    Args:
        painting: (1, 3, H, W), RGB in [0, 1].
    """

    def __init__(self, painting: Tensor) -> None:
        self.vgg = VGGFeatures(DEFAULT_STYLE_LAYERS, arch="vgg19", padding="reflect")
        with torch.no_grad():
            self.loss = StyleLoss(self.vgg(painting))

    def __call__(self, pictures: Sequence[NDArray[np.float32]]) -> float:
        """Judge pictures."""
        with torch.no_grad():
            losses = [
                self.loss(self.vgg(torch.from_numpy(picture).permute(0, 3, 1, 2) / 255))
                for picture in pictures
            ]
        return float(torch.stack(losses).mean())
