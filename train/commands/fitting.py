"""The steps of a run, and what can end them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytorch_lightning.trainer.states import TrainerStatus
from pytorch_lightning.utilities.exceptions import SIGTERMException

from nst.infer.command_line import EXIT_INTERRUPTED
from nst.infer.errors import UserError, is_disk_full, os_error_reason
from nst.train.callbacks.run_files import holds_run
from nst.train.commands.settings import TrainCLI
from nst.train.errors import enough_memory
from nst.train.processes import forget_children, joined, told_once
from nst.train.signals import EXIT_TERMINATED

LESS_MEMORY = "use a smaller --data.batch_size, --data.crop_px or --model.style_size"


def fit(cli: TrainCLI) -> int:
    """Do the steps.

    Args:
        cli: the settings, and what was made of them.
    Returns:
        0; or the exit status of the program, if it was interrupted.
    Raises:
        UserError: if there is not enough memory or disk, or another process has ended.
        SystemExit: of several processes, in those whose error the first one tells.
    """
    with told_once(cli.trainer), known_failures(cli):
        try:
            cli.trainer.fit(
                cli.model,
                datamodule=cli.datamodule,
                ckpt_path=cli.checkpoint.path if cli.checkpoint else None,
                weights_only=True,
            )
        except SystemExit as error:
            # Lightning ends the process after Ctrl-C, once the callbacks have saved what there is.
            if cli.trainer.state.status != TrainerStatus.INTERRUPTED:
                raise
            forget_children(cli.trainer)
            return EXIT_TERMINATED if isinstance(error, SIGTERMException) else EXIT_INTERRUPTED
    return 0


@contextmanager
def known_failures(cli: TrainCLI) -> Iterator[None]:
    """Turn what can end a run into lines for the user.

    Args:
        cli: of the run.
    Raises:
        UserError: if memory or disk are used up, or another process has ended.
    """
    folder = cli.run_folder.folder
    try:
        with joined(folder, cli.trainer), enough_memory(LESS_MEMORY), living_readers():
            yield
    except UserError as error:
        if not is_disk_full(error):
            raise
        raise UserError(f"{error}: {more_space(folder)}") from error
    except OSError as error:
        where = error.filename or folder
        line = f"the training stopped: {where}: {os_error_reason(error)}"
        raise UserError(f"{line}: {more_space(folder)}" if is_disk_full(error) else line) from error


def more_space(folder: Path) -> str:
    """What to do then."""
    way_on = f", then nst-train --resume {folder} goes on" if holds_run(folder) else ""
    return f"free some space{way_on}"


@contextmanager
def living_readers() -> Iterator[None]:
    """Turn the end of a process that reads photos into a line for the user.

    Raises:
        UserError: if one was killed.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(
            "a process that reads photos was killed, probably for want of memory (or of /dev/shm "
            "in a container): use fewer --data.workers, or 0"
        ) from error
