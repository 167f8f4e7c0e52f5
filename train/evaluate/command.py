"""What ``nst-evaluate`` does."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from nst.infer.command_line import print_line, print_text
from nst.infer.engine.metadata import VALUE_RANGES, ValueRange
from nst.infer.errors import UserError
from nst.infer.pictures.images import on_white, read_image
from nst.infer.pictures.photo_files import find_photos
from nst.models import VGGArch
from nst.train.cache_folder import cache_folder
from nst.train.errors import failed_work, wrong_settings
from nst.train.evaluate.cost import frame_ms_by_device, graph_cost
from nst.train.evaluate.evaluation import (
    Judges,
    Result,
    gatys_values,
    judge_photo,
    read_photos,
)
from nst.train.evaluate.gatys import SIZE_PX as GATYS_SIZE_PX
from nst.train.evaluate.gatys import GatysCurves
from nst.train.evaluate.jobs import NO_OTHER_VGG, EvaluateJob
from nst.train.evaluate.page import write_page
from nst.train.evaluate.perceptual import PerceptualJudge
from nst.train.evaluate.report import as_json, tables
from nst.train.evaluate.subjects import Subject, check_ready, open_subject, with_unique_names
from nst.train.live_line import PhotoWork
from nst.train.painting import at_size, shrunk_size
from nst.train.vgg_choice import VGGChoice
from nst.train.vgg_loading import FEATURES, load_vgg, refuse_large_pictures

SHOWN_PHOTOS = 8


class Used(NamedTuple):
    """The photos that could be used: all names, and the first few as (H, W, 3)."""

    names: list[str]
    shown: list[NDArray[np.uint8]]


class EvaluationProgress(PhotoWork):
    """Photos judged and time left."""

    def show(self, photos: int, what: str) -> None:
        """Say how many photos are done, and what is being done."""
        self.advance(photos + self.skipped)
        self.line.update(
            self.done / self.total,
            lambda _: f"{self.done}/{self.total} photos  {what}  {self.time_left} left",
        )


def evaluate(job: EvaluateJob) -> None:
    """Judge the models, write the page, print tables or JSON.

    Raises:
        UserError: for every mistake of the user.
    """
    files = find_photos(job.photos)
    painting = on_white(read_image(job.painting))
    with TemporaryDirectory(prefix="nst-evaluate-") as exports:
        subjects = open_subjects(job, files, exports=Path(exports))
        with failed_work():
            judges = make_judges(job, painting)
            results = [Result(subject.name, cost=cost_of(subject, job)) for subject in subjects]
            used = judge_all(
                files, subjects, judges, results, folder=job.photos, size_px=job.size_px
            )
    settings = settings_of(job, judges, photos=len(used.names))
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
        print_text(as_json(results, settings, used.names))
    else:
        print_text(tables(results))
        print_line(f"{job.page}  {len(used.names)} photos")


def open_subjects(job: EvaluateJob, files: Sequence[Path], *, exports: Path) -> list[Subject]:
    """Open all models, and look for the picture of each photo among ready pictures.

    Raises:
        UserError: if one cannot be judged.
    """
    value_range = value_range_of(job)
    subjects = with_unique_names(
        [
            open_subject(
                model,
                photos=job.photos,
                exports=exports,
                value_range=value_range,
                threads=job.vgg.threads,
            )
            for model in job.models
        ]
    )
    for subject in subjects:
        if subject.ready is not None:
            check_ready(subject.ready, job.photos, files)
    return subjects


def judge_all(
    files: Sequence[Path],
    subjects: Sequence[Subject],
    judges: Judges,
    results: Sequence[Result],
    *,
    folder: Path,
    size_px: int,
) -> Used:
    """Fill in the results photo by photo. Returns the photos that could be used.

    Raises:
        UserError: if there is none.
    """
    used = Used([], [])
    check_size = partial(refuse_large_pictures, judges.main.vgg, needs=FEATURES)
    with EvaluationProgress(len(files)) as progress:
        for photo in read_photos(
            files, long_side_px=size_px, check_size=check_size, on_unusable=progress.skip
        ):
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
                for worth, result in zip(worths, results, strict=True):
                    result.add(worth)
            used.names.append(str(photo.file.relative_to(folder)))
            if len(used.shown) < SHOWN_PHOTOS:
                used.shown.append(photo.frame)
            progress.show(len(used.names), "")
    if not used.names:
        raise UserError("none of the photos can be used")
    return used


def make_judges(job: EvaluateJob, painting: Image.Image) -> Judges:
    """Load the VGGs and compute the painting's Gram matrices.

    Raises:
        UserError: if a layer does not exist, weights cannot be had, or the painting is too small.
    """
    with wrong_settings():
        main = judge(painting, job, job.vgg)
        curves = None
        if job.gatys:
            curves = GatysCurves(main, cache=job.cache or cache_folder("gatys"))
    return Judges(main, other_judge(painting, job), curves, job.gatys_photos)


def other_judge(painting: Image.Image, job: EvaluateJob) -> PerceptualJudge | None:
    """A judge under the VGG that is not chosen.

    Raises:
        UserError: if its weights cannot be had although the user said where they are.
    """
    weights = job.other_vgg_weights
    if weights == NO_OTHER_VGG:
        return None
    arch: VGGArch = "vgg16" if job.vgg.arch == "vgg19" else "vgg19"
    try:
        with wrong_settings():
            return judge(painting, job, replace(job.vgg, arch=arch, weights=weights))
    except UserError as error:
        if weights != "auto":
            raise
        print_notice(f"not judged by {arch} (--other-vgg-weights none leaves it out): {error}")
        return None


def judge(painting: Image.Image, job: EvaluateJob, choice: VGGChoice) -> PerceptualJudge:
    """A judge under one VGG."""
    vgg = load_vgg([*job.content_layers, *job.style_layers], choice)
    refuse_large_pictures(
        vgg, shrunk_size(painting, job.style_size_px), FEATURES, flag="--style-size"
    )
    return PerceptualJudge(
        at_size(painting, job.style_size_px),
        vgg=vgg,
        content_layers=job.content_layers,
        style_layers=job.style_layers,
    )


def cost_of(subject: Subject, job: EvaluateJob) -> dict[str, float]:
    """Size, parameters, operations, and milliseconds per device; nothing without a model file."""
    if subject.onnx is None or not job.cost:
        return {}
    try:
        cost = graph_cost(subject.onnx)
        counted = {
            "megabytes": cost.file_bytes / 1e6,
            "parameters": float(cost.parameters),
            "macs_per_pixel": cost.macs_per_pixel,
        }
    except UserError as error:
        print_notice(f"not counted: {error}")
        counted = {}
    times = frame_ms_by_device(
        subject.onnx,
        value_range=value_range_of(job),
        threads=job.vgg.threads,
        on_failure=print_notice,
    )
    return counted | {f"ms/{device}": ms for device, ms in times.items()}


def print_notice(text: str) -> None:
    """Say on stderr what is left out."""
    print(text, file=sys.stderr)  # noqa: T201


def value_range_of(job: EvaluateJob) -> ValueRange | None:
    """As the models take it, None to measure it."""
    return VALUE_RANGES[job.value_range] if job.value_range else None


def settings_of(job: EvaluateJob, judges: Judges, *, photos: int) -> dict[str, Any]:
    """How it was measured, for people and for JSON."""
    return {
        "painting": job.painting.name,
        "size": job.size_px,
        "style size": job.style_size_px,
        "content layers": " ".join(judges.main.content_layers),
        "style layers": " ".join(judges.main.style_layers),
        "VGG": vgg_name(judges.main),
        "other VGG": vgg_name(judges.other) if judges.other else "none",
        "curves": f"{min(judges.curve_photos, photos)} photos at {GATYS_SIZE_PX} px"
        if job.gatys
        else "none",
    }


def vgg_name(judge: PerceptualJudge) -> str:
    """Which VGG it is, where its weights are from and what it computes in."""
    precision = "bf16" if judge.vgg.dtype == torch.bfloat16 else "float32"
    return f"{judge.vgg.arch} ({judge.vgg.source}, {precision})"
