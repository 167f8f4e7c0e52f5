"""``nst-train``: what was asked for, and who does it."""

from pathlib import Path

from nst.export import ParityError
from nst.infer.errors import UserError
from nst.models import ModelFileError
from nst.train.commands.arguments import Request
from nst.train.commands.dry_run import dry_run
from nst.train.commands.one_run import train
from nst.train.commands.resume import Checkpoint, find_checkpoint, resumed_settings
from nst.train.commands.settings import parse
from nst.train.commands.several import train_each
from nst.train.commands.strengths import try_strengths
from nst.train.processes import is_launched_together


def run(request: Request) -> int:
    """Read the settings, train, export.

    Args:
        request: what the user wants.
    Returns:
        The exit status: 0, 1 if some of several failed and 2 if all did, 130 when interrupted,
        143 when terminated.
    Raises:
        UserError: for every mistake of the user.
    """
    if (request.strengths or request.is_several) and is_launched_together():
        raise UserError(
            "several runs begin their own processes: start them without torchrun and with "
            "srun --ntasks=1, or name one painting in each srun"
        )
    try:
        if request.strengths:
            return try_strengths(request)
        if request.is_several:
            return train_each(request)
        if request.resume is None:
            return begin(request.settings(), dry=request.dry_run)
        return resume(request, request.resume)
    except (ModelFileError, ParityError) as error:
        raise UserError(str(error)) from error


def resume(request: Request, folder: Path) -> int:
    """Go on with a run; or begin one, where there is none and a painting is named.

    Raises:
        UserError: if there is nothing to go on with.
    """
    checkpoint = find_checkpoint(folder)
    if checkpoint is not None:
        settings = [*resumed_settings(folder), *request.settings()]
        return begin(settings, dry=request.dry_run, checkpoint=checkpoint)
    if not request.styles:
        raise UserError(
            f"there is no run to go on with in {folder}: name the folder of one, or begin one "
            "with --style"
        )
    return begin(request.settings("--out", str(folder)), dry=request.dry_run)


def begin(settings: list[str], *, dry: bool, checkpoint: Checkpoint | None = None) -> int:
    """Train, or tell what that would be."""
    if dry:
        return dry_run(settings, checkpoint=checkpoint)
    return train(parse(settings, checkpoint=checkpoint))
