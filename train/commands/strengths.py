"""``nst-train --try-strengths 0.5,1,2``: short runs, and one picture to choose from."""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from nst.infer.command_line import print_line
from nst.infer.errors import UserError
from nst.infer.files import require_file
from nst.infer.pictures.contact_sheet import Cell, contact_sheet
from nst.infer.pictures.images import write_image
from nst.models import StyleNet, load_trained_net
from nst.train.callbacks.run_files import RUNS
from nst.train.commands.arguments import Request
from nst.train.commands.children import Job, Outcome, Queue
from nst.train.commands.limits import Limits
from nst.train.commands.plan import Plan, read_plan
from nst.train.painting import style_name, to_picture

STEPS = 300
"""Length of each run, if the user names none."""
STRENGTH = "--model.style_strength"
VARIED = frozenset({STRENGTH.removeprefix("--")})
TRIAL_FLAGS = (
    *("--out", "--run.out", "--run.overwrite", "--run.export"),
    *("--trainer.max_steps", "--trainer.max_time"),
)
SHEET = "strengths.png"
SHEET_PHOTOS = 3
SHEET_LONG_SIDE_PX = 640
SHEET_HEIGHT_PX = 384


def try_strengths(request: Request) -> int:
    """Train shortly with each strength, and draw photos with each of the networks.

    Args:
        request: with strengths.
    Returns:
        The exit status.
    Raises:
        UserError: if nothing can be begun.
    """
    if any(argument.partition("=")[0] == STRENGTH for argument in request.rest):
        raise UserError(f"--try-strengths sets {STRENGTH}: leave that out")
    plan = read_plan(request.settings())
    plan = replace(plan, export=False)
    if not plan.is_limited:
        plan = replace(plan, limits=Limits.of(STEPS, None))
    require_file(plan.style)
    parent = plan.parent(RUNS / f"{style_name(plan.style)}.strengths")
    photos = sheet_photos(plan)
    queue = Queue()
    queue.run([job_of(strength, parent, request, plan) for strength in request.strengths])
    status = queue.report()
    if not queue.is_interrupted and any(outcome.is_well for outcome in queue.outcomes):
        write_image(sheet_of(queue.outcomes, photos), parent / SHEET)
        command = shlex.join(["nst-train", *flags_to_keep(request), STRENGTH])
        print_line(f"look at {parent / SHEET}, then: {command} NUMBER")
    return status


def job_of(strength: float, parent: Path, request: Request, plan: Plan) -> Job:
    """The short run for one of the strengths: it goes on, where one was interrupted."""
    folder = parent / f"strength_{strength:g}"
    resume = () if plan.overwrite else ("--resume", str(folder))
    length = () if plan.is_limited else (f"--trainer.max_steps={STEPS}",)
    arguments = (
        *(*resume, *request.rest, *(f"--style={style}" for style in request.styles)),
        *(f"{STRENGTH}={strength:g}", *length),
        *("--run.export=false", "--run.report=false", "--out", str(folder)),
    )
    is_done = plan.is_done(folder, plan.style, apart_from=VARIED)
    return Job(f"strength {strength:g}", folder, arguments, result=folder, is_done=is_done)


def sheet_photos(plan: Plan) -> list[Tensor]:
    """What is drawn, read before the work.

    Raises:
        UserError: if none of the photos will do.
    """
    photos = plan.data.preview_photos(SHEET_PHOTOS, long_side_px=SHEET_LONG_SIDE_PX)
    if not photos:
        raise UserError(
            "--try-strengths has no photo to draw: those of the content folder cannot be read, or "
            f"are under {StyleNet.min_size_px} px high or wide on the picture"
        )
    return photos


def sheet_of(outcomes: Sequence[Outcome], photos: Sequence[Tensor]) -> Image.Image:
    """Photos in rows, the strengths in columns beside them."""
    columns = [[Cell(to_picture(photo), "photo") for photo in photos]]
    for outcome in outcomes:
        if outcome.is_well:
            net = load_trained_net(outcome.job.folder).net
            columns.append([Cell(stylized(net, photo), outcome.job.name) for photo in photos])
    return contact_sheet(list(zip(*columns, strict=True)), height_px=SHEET_HEIGHT_PX)


@torch.no_grad()
def stylized(net: StyleNet, photo: Tensor) -> Image.Image:
    """What a network makes of (3, H, W)."""
    return to_picture(net(photo.unsqueeze(0))[0])


def flags_to_keep(request: Request) -> list[str]:
    """What was typed, without that which is for short runs alone."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in TRIAL_FLAGS:
        parser.add_argument(flag)
    _, kept = parser.parse_known_args(list(request.rest))
    return [*(f"--style={style}" for style in request.styles), *kept]
