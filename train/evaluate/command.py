"""What ``nst-evaluate`` does."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from nst.infer.command_line import print_line
from nst.infer.errors import UserError
from nst.infer.images import on_white, read_image
from nst.infer.metadata import VALUE_RANGES
from nst.models import VGGArch, VGGFeatures
from nst.train.errors import user_errors
from nst.train.evaluate.cost import frame_ms_by_device, graph_cost
from nst.train.evaluate.evaluation import (
    Judges,
    Result,
    gatys_values,
    judge_photo,
    read_photos,
)
from nst.train.evaluate.gatys import SIZE_PX as GATYS_SIZE_PX
from nst.train.evaluate.gatys import GatysCurves, default_cache
from nst.train.evaluate.jobs import EvaluateJob
from nst.train.evaluate.page import write_page
from nst.train.evaluate.perceptual import PerceptualJudge
from nst.train.evaluate.report import as_json, print_tables
from nst.train.evaluate.subjects import Subject, open_subject, with_unique_names
from nst.train.live_line import Work
from nst.train.optimize.coarse_to_fine import at_size
from nst.train.photos import find_photos

SHOWN_PHOTOS = 8


class Used(NamedTuple):
    """The photos that could be used: all names, and the first few as (H, W, 3)."""

    names: list[str]
    shown: list[NDArray[np.uint8]]


class EvaluationProgress(Work):
    """Photos judged and time left."""

    def show(self, photos: int, what: str) -> None:
        """Say how many photos are done, and what is being done."""
        self.done = photos
        self.line.update(
            photos / self.total,
            lambda _: f"{photos}/{self.total} photos  {what}  {self.time_left} left",
        )


def evaluate(job: EvaluateJob) -> None:
    """Judge the models, write the page, print tables or JSON.

    Raises:
        UserError: for every mistake of the user.
    """
    if job.threads:
        torch.set_num_threads(job.threads)
    files = find_photos(job.photos)
    painting = on_white(read_image(job.painting))
    value_range = VALUE_RANGES[job.value_range] if job.value_range else None
    subjects = with_unique_names([open_subject(m, value_range=value_range) for m in job.models])
    with user_errors():
        judges = make_judges(job, painting)
        results = [Result(subject.name) for subject in subjects]
        used = judge_all(files, subjects, judges, results, size_px=job.size_px)
    if job.cost:
        for subject, result in zip(subjects, results, strict=True):
            if subject.onnx is not None:
                result.cost = cost_of(subject.onnx, value_range)
    settings = settings_of(job, judges)
    write_page(
        job.page,
        results,
        title=f"Models of {job.painting.stem}",
        summary=", ".join(f"{name} {value}" for name, value in settings.items()),
        painting=painting,
        photos=used.names,
        shown=used.shown,
    )
    if job.json:
        print(as_json(results, settings, used.names))  # noqa: T201
    else:
        print_tables(results, Console())
        print_line(f"{job.page}  {len(used.names)} photos")


def judge_all(
    files: Sequence[Path],
    subjects: Sequence[Subject],
    judges: Judges,
    results: Sequence[Result],
    *,
    size_px: int,
) -> Used:
    """Fill in the results photo by photo. Returns the photos that could be used.

    Raises:
        UserError: if there is none.
    """
    used = Used([], [])
    with EvaluationProgress(len(files)) as progress:
        for photo in read_photos(files, long_side_px=size_px, on_unusable=skip):
            found = judge_photo(photo, subjects, judges)
            for (picture, values), result in zip(found, results, strict=True):
                result.add(values)
                if len(used.shown) < SHOWN_PHOTOS:
                    result.pictures.append(picture)
            if judges.curves is not None and len(used.names) < judges.curve_photos:
                worths = gatys_values(
                    photo,
                    subjects,
                    judges.curves,
                    lambda step: progress.show(len(used.names), f"curve, step {step}"),
                )
                for values, result in zip(worths, results, strict=True):
                    result.add(values)
            used.names.append(photo.file.name)
            if len(used.shown) < SHOWN_PHOTOS:
                used.shown.append(photo.frame)
            progress.show(len(used.names), "")
    if not used.names:
        raise UserError("none of the photos can be used")
    return used


def make_judges(job: EvaluateJob, painting: Image.Image) -> Judges:
    """Load the VGGs and compute the painting's Gram matrices."""
    image = at_size(painting, job.style_size_px)
    layers = (job.content_layers, job.style_layers)
    main = judge(image, *layers, arch=job.vgg, weights=job.vgg_weights)
    other = curves = None
    if job.other_vgg_weights is not None:
        arch: VGGArch = "vgg16" if job.vgg == "vgg19" else "vgg19"
        other = judge(image, *layers, arch=arch, weights=job.other_vgg_weights)
    if job.gatys:
        small = at_size(painting, GATYS_SIZE_PX)
        curves = GatysCurves(
            PerceptualJudge(
                small,
                vgg=main.vgg,
                content_layers=main.content_layers,
                style_layers=main.style_layers,
            ),
            small,
            cache=job.cache or default_cache(),
        )
    return Judges(main, other, curves, job.gatys_photos)


def judge(
    painting: Any,
    content_layers: Sequence[str],
    style_layers: Sequence[str],
    *,
    arch: VGGArch,
    weights: str,
) -> PerceptualJudge:
    """A judge under one VGG."""
    vgg = VGGFeatures(
        [*content_layers, *style_layers], arch=arch, weights=weights, padding="reflect"
    )
    return PerceptualJudge(
        painting, vgg=vgg, content_layers=content_layers, style_layers=style_layers
    )


def cost_of(model: Path, value_range: tuple[float, float] | None) -> dict[str, float]:
    """Size, parameters, operations, and milliseconds per device."""
    cost = graph_cost(model)
    times = frame_ms_by_device(model, value_range=value_range)
    return {
        "megabytes": cost.file_bytes / 1e6,
        "parameters": float(cost.parameters),
        "macs_per_pixel": cost.macs_per_pixel,
        **{f"ms/{device}": ms for device, ms in times.items()},
    }


def settings_of(job: EvaluateJob, judges: Judges) -> dict[str, Any]:
    """How it was measured, for people and for JSON."""
    return {
        "painting": job.painting.name,
        "size": job.size_px,
        "style size": job.style_size_px,
        "content layers": " ".join(judges.main.content_layers),
        "style layers": " ".join(judges.main.style_layers),
        "VGG": f"{judges.main.vgg.arch} ({judges.main.vgg.source})",
        "other VGG": f"{judges.other.vgg.arch} ({judges.other.vgg.source})"
        if judges.other
        else "none",
    }


def skip(reason: str) -> None:
    """Name a photo that cannot be used."""
    print(f"skipped: {reason}", file=sys.stderr)  # noqa: T201
