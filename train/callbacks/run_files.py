"""What lies where in the folder of a run, and whether there is one."""

from pathlib import Path

from nst.infer.errors import UserError
from nst.infer.files import readable
from nst.models.checkpoints import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT

RUNS = Path("runs")
"""Where run folders are, if the user names none."""
TENSORBOARD = "tensorboard"
CONFIG = "config.yaml"
HISTORY = "history.csv"
REPORT = "report.html"


def run_of(checkpoint: Path) -> Path:
    """The folder of the run that a checkpoint is from."""
    return checkpoint.parent.parent


def checkpoint_files(out: Path) -> list[Path]:
    """Where the folder of a run keeps its checkpoints, the newest first."""
    return [out / LAST_CHECKPOINT, out / PREVIOUS_CHECKPOINT]


def holds_run(out: Path) -> bool:
    """Whether there is a run in a folder that could go on.

    Raises:
        UserError: if the folder cannot be looked into.
    """
    with readable(out):
        return any(path.exists() for path in checkpoint_files(out))


def refuse_run(out: Path) -> None:
    """Refuse a folder for a new run that holds one already.

    Raises:
        UserError: if it does, or cannot be looked into.
    """
    if holds_run(out):
        raise UserError(
            f"{out} holds a finished or interrupted run: --resume {out} goes on with it, "
            "another --out begins anew beside it, --run.overwrite true in its place"
        )
