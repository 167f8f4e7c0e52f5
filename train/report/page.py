"""Puts the page about a run together and writes it."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image
from torch import Tensor

from nst.infer.errors import UserError
from nst.infer.files import atomic_write
from nst.infer.messages import counted
from nst.models.tiers import tier_of
from nst.train.callbacks.run_files import REPORT
from nst.train.evaluate.page import data_uri
from nst.train.evaluate.report import Row, number
from nst.train.painting import to_picture
from nst.train.report.chart import FRAME
from nst.train.report.curves import KNOB, loss_charts
from nst.train.report.files import next_commands, run_files
from nst.train.report.judgement import judge_run
from nst.train.report.record import Record, read_record
from nst.train.report.settings import changed_settings, read_settings
from nst.train.report.stages import Stage, read_stages
from nst.train.wording import data_size, short_number, spoken_duration

TEMPLATE = "report.html.j2"
SMALL_PX = 256
"""Longer side of the pictures of all stages but the last."""
CREDIT_PARTS = ("artist", "title", "year", "license")


def write_report(folder: Path, *, photos: Sequence[Tensor], device: str) -> Path:
    """Write ``report.html`` into the folder of a run; it loads nothing from elsewhere.

    Pictures, charts or numbers that cannot be had are left out, and the page says why.

    Args:
        folder: of a run that has ended.
        photos: of its previews, in their order: (3, H, W) each, RGB in [0, 1].
        device: what it was trained on, for people.
    Returns:
        The file, replaced if it was there.
    Raises:
        UserError: if the checkpoint cannot be read or the page not be written.
    """
    template = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"))
    html = template.render(contents(read_record(folder), photos, device))
    page = folder / REPORT
    with atomic_write(page) as temporary:
        # Names of files need not be text.
        temporary.write_bytes(html.encode("utf-8", "backslashreplace"))
    return page


def contents(record: Record, photos: Sequence[Tensor], device: str) -> dict[str, Any]:
    """All that the template shows; for the arguments see ``write_report``."""
    settings = read_settings(record.config)
    credit = record.trained.credit
    return {
        "record": record,
        "training": record.trained.training,
        "painting": painting_uri(record),
        "credit": [credit[part] for part in CREDIT_PARTS if part in credit],
        "network": network(record),
        "highlights": highlights(record),
        "cards": photo_cards(record, photos),
        "charts": loss_charts(record.rows, record.trained.training),
        "frame": FRAME,
        "has_knob": any(row.kind == KNOB for row in record.rows),
        "judged": judged(record, photos),
        "timings": timings(record, settings, device),
        "settings": settings,
        "changed": changed_settings(settings),
        "files": [(each.name, each.what, data_size(each.size_bytes)) for each in run_files(record)],
        "commands": next_commands(record, settings),
    }


def painting_uri(record: Record) -> str | None:
    """The painting as the network saw it."""
    painting = record.trained.painting
    return None if painting is None else data_uri(to_picture(painting[0]))


def highlights(record: Record) -> list[tuple[str, str]]:
    """What a run comes to: a value and what it is, a few of them."""
    found = [
        (f"{record.steps:,}", "step" if record.steps == 1 else "steps"),
        (spoken_duration(record.seconds), "of training"),
        (short_number(round(record.images_per_s, 2)), "photos per second"),
    ]
    losses = record.trained.training.get("losses")
    if losses:
        found += [
            (short_number(losses[name]), f"{name} loss at the end") for name in ("content", "style")
        ]
    if record.model.is_file():
        found.append((data_size(record.model.stat().st_size), "the model"))
    return found


def timings(record: Record, settings: dict[str, Any], device: str) -> list[tuple[str, str]]:
    """Name and value of what the time was spent on."""
    precision = settings.get("trainer.precision")
    return [
        ("time", f"{record.seconds:,.1f} s ({spoken_duration(record.seconds)})"),
        ("steps", f"{record.steps:,}"),
        ("photos looked at", f"{record.images:,}"),
        ("photos per second", f"{record.images_per_s:.2f}"),
        ("device", device),
        *([("precision", str(precision))] if precision else []),
    ]


def network(record: Record) -> str:
    """Name, tier and sizes of the network."""
    sizes = dict(record.trained.net.architecture)
    tier = tier_of(sizes)
    name = sizes.pop("name")
    parts = ", ".join(f"{key} {value}" for key, value in sizes.items())
    return f"{name}{f', {tier} tier' if tier else ''}: {parts}"


def photo_cards(record: Record, photos: Sequence[Tensor]) -> list[dict[str, Any]]:
    """For each photo its pictures: the photo, the last stage, and those before it, smaller."""
    pictures = [to_picture(photo) for photo in photos]
    sizes = [picture.size for picture in pictures]
    stages = read_stages(record.folder, sizes, last_step=record.steps)
    if not stages:
        return []
    return [
        {
            "photo": data_uri(picture),
            "last": (stages[-1].step, data_uri(stages[-1].pictures[index])),
            "before": [(stage.step, small_uri(stage, index)) for stage in stages[:-1]],
        }
        for index, picture in enumerate(pictures)
    ]


def small_uri(stage: Stage, index: int) -> str:
    """A picture of a stage, for looking at beside others."""
    small = stage.pictures[index].copy()
    small.thumbnail((SMALL_PX, SMALL_PX), Image.Resampling.LANCZOS)
    return data_uri(small)


def judged(record: Record, photos: Sequence[Tensor]) -> dict[str, Any]:
    """The numbers of the evaluation for the template, or why there are none."""
    try:
        found = judge_run(record, photos)
    except UserError as error:
        return {"reason": str(error)}
    return {
        "reason": "",
        "photos": counted(found.photos, "photo"),
        "vgg": found.vgg,
        "rows": [cells(row) for row in found.rows],
        "details": [cells(row) for row in found.details],
    }


def cells(row: Row) -> tuple[str, str, str, str]:
    """Name, mean and deviation of the model, mean of the photo itself."""
    (model, identity), deviation = row.means, row.deviations[0]
    return (
        row.measure.label,
        "" if model is None else number(model),
        "" if deviation is None else number(deviation, 2),
        "" if identity is None else number(identity),
    )
