"""Several processes that train together, and what happens when one of them is gone."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytorch_lightning as pl
import torch.distributed
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher
from torch.distributed.distributed_c10d import _get_default_store

from nst.infer.command_line import EXIT_USER_ERROR, print_notice
from nst.infer.errors import UserError

TIMEOUT = timedelta(minutes=5)
"""How long a process waits for the others in a step."""
WATCH_S = 1.0
PATIENCE = timedelta(seconds=10)
"""How long a process with an error waits for the first one to have the same."""

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""What Lightning, torchrun and SLURM tell a process about its place."""
OBSERVER = "lightning_fabric.strategies.launchers.subprocess_script"
"""Lightning's logger of the thread that ends a run when one of its processes has ended."""


def is_first_process() -> bool:
    """Whether this process writes and speaks for all. Known before there is a trainer."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)


def is_launched_together() -> bool:
    """Whether torchrun, SLURM or the like began this process as one of several."""
    tasks = int(os.environ.get("SLURM_NTASKS", "1")) if "SLURM_PROCID" in os.environ else 1
    return max(tasks, int(os.environ.get("WORLD_SIZE", "1"))) > 1


def together() -> DDPStrategy:
    """How several processes train: each on its photos, with the mean of their gradients.

    The VGG is the same everywhere and stays so: it need not be sent around in every step.
    """
    return DDPStrategy(broadcast_buffers=False, timeout=TIMEOUT)


@contextmanager
def joined(folder: Path, trainer: pl.Trainer) -> Iterator[None]:
    """Turn the loss of another process into a line for the user.

    Args:
        folder: of the run, for the message.
        trainer: whether it has done a step tells a loss from processes that never met.
    Raises:
        UserError: if a collective operation fails.
    """
    message = f"another process of this run has ended; nst-train --resume {folder} goes on"
    done = watch_parent(message)
    handler = _Teller(message)
    logger = logging.getLogger(OBSERVER)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    except RuntimeError as error:
        if not is_lost_connection(error):
            raise
        if trainer.global_step == 0:
            reason = str(error).splitlines()[0]
            raise UserError(f"the processes of this run do not meet: {reason}") from error
        raise UserError(message) from error
    finally:
        done.set()
        logger.removeHandler(handler)


@contextmanager
def told_once(trainer: pl.Trainer) -> Iterator[None]:
    """Leave an error that the first process has too to that one, which then ends the others.

    Args:
        trainer: tells which process this is.
    Raises:
        UserError: in the first process, and in one whose error the first has not.
        SystemExit: in one whose error the first process tells.
    """
    try:
        yield
    except UserError as error:
        if torch.distributed.is_initialized():
            agree_who_tells(str(error))
        if trainer.is_global_zero:
            end_children(trainer)
        raise


def agree_who_tells(message: str) -> None:
    """In the first process: say that it tells an error. In others: wait for that.

    Args:
        message: of the error.
    Raises:
        SystemExit: if the first process tells the same.
    """
    store = _get_default_store()
    if torch.distributed.get_rank() == 0:
        store.set(message, "")
        return
    with suppress(torch.distributed.DistError):  # it has no error, another one, or is gone
        store.wait([message], PATIENCE)
        raise SystemExit(EXIT_USER_ERROR)


def watch_parent(message: str) -> threading.Event:
    """End this process when the one that began it has ended, which no collective operation tells.

    The first process of a machine has the user's shell as its parent, and outlives it.

    Args:
        message: for the user.
    Returns:
        What ends the watch.
    """
    done = threading.Event()
    parent = os.getppid()

    def watch() -> None:
        while not done.wait(WATCH_S):
            if os.getppid() != parent:
                print_notice("nst-train", message)
                os._exit(EXIT_USER_ERROR)

    if os.environ.get("LOCAL_RANK", "0") != "0":
        threading.Thread(target=watch, daemon=True).start()
    return done


def is_lost_connection(error: RuntimeError) -> bool:
    """Whether it says that another process cannot be reached."""
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error).lower()


def end_children(trainer: pl.Trainer) -> None:
    """End the processes that this one began to train with: without it they can do nothing."""
    if isinstance(launcher := trainer.strategy.launcher, _SubprocessScriptLauncher):
        for process in launcher.procs:
            process.kill()
        forget_children(trainer)


def forget_children(trainer: pl.Trainer) -> None:
    """Let them end on their own: Lightning would take that for a failure, and kill this process."""
    if isinstance(launcher := trainer.strategy.launcher, _SubprocessScriptLauncher):
        launcher.procs.clear()


class _Teller(logging.Handler):
    """Tells that a process is gone, in place of what Lightning logs before it kills the others."""

    def __init__(self, message: str) -> None:
        super().__init__(logging.INFO)
        self.message = message

    def emit(self, record: logging.LogRecord) -> None:
        if "terminated with code" in record.getMessage():
            print_notice("nst-train", self.message)
