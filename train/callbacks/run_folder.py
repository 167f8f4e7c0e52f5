"""What a run leaves behind: settings, checkpoints, previews, scalars, notes."""

import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from nst.infer.errors import UserError
from nst.infer.files import atomic_write, ensure_folder, readable
from nst.models.checkpoints import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from nst.train.callbacks.agreement import Agreement, Wishes
from nst.train.callbacks.checkpoints import Checkpoints
from nst.train.callbacks.guard import DivergedError, LossGuard
from nst.train.callbacks.history import History, read_history
from nst.train.callbacks.interrupts import Interrupts
from nst.train.callbacks.notes import ENLARGED, NOTES, SKIPPED, Notes
from nst.train.callbacks.previews import PREVIEWS, Previews
from nst.train.folder_lock import lock_folder
from nst.train.photos import PhotoBatch, PhotoDataModule
from nst.train.processes import is_first_process
from nst.train.system import StyleTransferSystem

RUNS = Path("runs")
"""Where run folders are, if the user names none."""
TENSORBOARD = "tensorboard"
CONFIG = "config.yaml"
HISTORY = "history.csv"
REPORT = "report.html"


class RunFolder(pl.Callback):
    """Writes a run's folder, and looks after the run.

    ::

        config.yaml           the settings, all of them
        checkpoints/last.ckpt the state of the training, and the network
        checkpoints/previous.ckpt  the one before it
        preview/step_*.png    fixed photos, above them stylized as far as the training is
        history.csv           losses, means over ten steps
        notes.txt             what happened, if anything did: photos left out, a training gone back
        tensorboard/          scalars and the same pictures
        STYLE.onnx            the network, once the run is over
        report.html           a page about the run, then too

    Of several processes that train together the first one writes.

    Args:
        out: the folder; ``runs/NAME OF THE PAINTING`` if not given.
        checkpoint_every: steps between two checkpoints at most.
        checkpoint_minutes: minutes between two checkpoints at most; the first one is written ten
            seconds after the first step.
        preview_every: steps between two previews.
        overwrite: use a folder that holds a run already.
        report: write the page about the run at its end, which takes some seconds.
        export: write the network as ONNX once the run is over; without it the checkpoints are all.
    Raises:
        UserError: if a number is too small.
    Attributes:
        last_step: that was done, also before an interruption.
    """

    def __init__(
        self,
        out: Path | None = None,
        checkpoint_every: int = 500,
        checkpoint_minutes: float = 1.0,
        preview_every: int = 250,
        overwrite: bool = False,
        report: bool = True,
        export: bool = True,
    ) -> None:
        if min(checkpoint_every, preview_every) < 1 or not checkpoint_minutes > 0:
            raise UserError(
                "checkpoint_every and preview_every must be at least 1, and checkpoint_minutes "
                "above 0"
            )
        self.out = out
        self.checkpoint_every = checkpoint_every
        self.checkpoint_minutes = checkpoint_minutes
        self.preview_every = preview_every
        self.overwrite = overwrite
        self.report = report
        self.export = export
        self.last_step = 0
        self._seconds_before = 0.0
        self._began_s = time.monotonic()
        self._notes_before: list[str] | None = None
        self._said_of_photos: set[str] = set()
        self._guard = LossGuard()
        self._interrupts = Interrupts()
        self._agreement = Agreement()
        self._config = ""
        self._lock = ExitStack()
        self._history = History()
        self._checkpoints: Checkpoints
        self._previews: Previews

    def prepare(self, *, style: str, config: str, resume: Path | None = None) -> Path:
        """Make the folder and write the settings into it; of a run that goes on, once it does.

        Args:
            style: name of the style, for the default folder.
            config: the settings as YAML.
            resume: the checkpoint that the run goes on with; None for a new one.
        Returns:
            The folder.
        Raises:
            UserError: if it cannot be written to, or holds a run already.
        """
        out = self.place(style)
        self._config = config
        if not is_first_process():
            return out
        is_there = resume is not None and run_of(resume).resolve() == out.resolve()
        if not is_there and not self.overwrite:
            refuse_run(out)
        ensure_folder(out)
        self._lock = lock_folder(out)
        if not is_there and holds_run(out):
            clear(out)
        for folder in (LAST_CHECKPOINT.parent, PREVIEWS):
            ensure_folder(out / folder)
        if resume is None:
            for name in (HISTORY, NOTES):
                (out / name).unlink(missing_ok=True)
            self.write_config()
        return out

    def place(self, style: str) -> Path:
        """Settle which folder it is.

        Args:
            style: name of the style, for the default folder.
        """
        out = RUNS / style if self.out is None else Path(self.out)
        self.out = out
        return out

    def release(self) -> None:
        """Let others work in the folder again."""
        self._lock.close()

    def write_config(self) -> None:
        """Write the settings."""
        with atomic_write(self.folder / CONFIG) as path:
            path.write_text(self._config, encoding="utf-8")

    def logger(self, *, after_step: int) -> TensorBoardLogger:
        """TensorBoard scalars and images inside the folder.

        Args:
            after_step: where the run goes on, 0 for a new one; what was logged later is hidden.
        """
        return TensorBoardLogger(
            save_dir=self.folder, name=TENSORBOARD, version="", purge_step=after_step or None
        )

    @property
    def folder(self) -> Path:
        """The folder, once it is known."""
        assert self.out is not None, "prepare() comes first"
        return Path(self.out)

    @property
    def notes(self) -> Notes:
        """What users were told."""
        return Notes(self.folder)

    @property
    def seconds(self) -> float:
        """Of training, interruptions left out."""
        return self._seconds_before + time.monotonic() - self._began_s

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "seconds": self.seconds,
            "guard": self._guard.state_dict(),
            "history": self._history.state_dict(),
            "notes": self.notes.lines(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on as a checkpoint says."""
        self._seconds_before = state_dict["seconds"]
        self._guard.load_state_dict(state_dict["guard"])
        self._history.load_state_dict(state_dict["history"])
        self._notes_before = state_dict.get("notes")  # older checkpoints have none

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin, or go on."""
        assert isinstance(pl_module, StyleTransferSystem)
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, PhotoDataModule)
        pl_module.rate_factor = self._guard.rate_factor
        self._checkpoints = Checkpoints(
            self.folder,
            every_steps=self.checkpoint_every,
            every_minutes=self.checkpoint_minutes,
            last_is_whole=str(trainer.ckpt_path) == str(self.folder / LAST_CHECKPOINT),
        )
        self._previews = Previews(self.folder, data)
        self.last_step = trainer.global_step
        self._checkpoints.saved_step = self._previews.saved_step = trainer.global_step
        if trainer.is_global_zero:
            self.write_config()
            before = run_of(Path(trainer.ckpt_path)) if trainer.ckpt_path else self.folder
            self._history.begin(
                self.folder / HISTORY,
                read_history(before / HISTORY),
                after_step=trainer.global_step,
            )
            if self._notes_before is not None:
                self.notes.keep(self._notes_before)
        trainer.strategy.barrier()  # the others read what the first one has written
        self._said_of_photos = set(self.notes.lines())
        if pl_module.has_other_loss:
            self._guard.forget_losses()
        self._guard.begin(pl_module, trainer.optimizers[0])
        self._interrupts.install()
        self._began_s = time.monotonic()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: PhotoBatch,
        batch_idx: int,
    ) -> None:
        """Write what is due after this step, and see whether it goes well."""
        assert isinstance(pl_module, StyleTransferSystem)
        self._note_photos(batch)
        assert pl_module.latest is not None
        self._history.collect(pl_module.latest)
        if trainer.global_step == self.last_step:  # gradients are being accumulated
            return
        self.last_step = trainer.global_step
        row = self._history.end_step(trainer, seconds=self.seconds)
        if row is not None:
            note = self._guard.check(row, pl_module, trainer.optimizers[0])
            if note is not None and trainer.is_global_zero:
                self.notes.add(note)
        mine = Wishes(self._interrupts.pending, self._checkpoints.is_time())
        wishes = self._agreement.reach(trainer, mine)
        self._interrupts.pass_on(wishes.signal)
        if self._checkpoints.is_due(self.last_step, is_time=wishes.checkpoint):
            self._checkpoints.save(trainer)
        if trainer.is_global_zero and self.last_step % self.preview_every == 0:
            self._previews.save(trainer, pl_module.net)

    def _note_photos(self, batch: PhotoBatch) -> None:
        """Write down which photos are not as they should be, each once."""
        skipped = [f"{SKIPPED}{line}" for line in batch.unreadable]
        for line in (*skipped, *(f"{ENLARGED}{line}" for line in batch.small)):
            if line not in self._said_of_photos:
                self._said_of_photos.add(line)
                self.notes.add(line, aloud=line in skipped)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last state.

        Raises:
            UserError: if it went wrong in the steps since the losses were looked at.
        """
        assert isinstance(pl_module, StyleTransferSystem)
        self._interrupts.remove()
        if self._checkpoints.saved_step != self.last_step and not self._checkpoints.save(trainer):
            raise UserError(
                "the training diverged in its last steps: "
                f"nst-train --resume {self.folder} goes on from the last good state"
            )
        if trainer.is_global_zero and self._previews.saved_step != self.last_step:
            self._previews.save(trainer, pl_module.net)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Keep what was learned, where the last step is a whole one."""
        self._interrupts.remove()
        is_whole = self._interrupts.is_raised or isinstance(exception, DivergedError)
        if is_whole and self._checkpoints.saved_step != self.last_step:
            self._checkpoints.save(trainer)


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


def clear(out: Path) -> None:
    """Remove what an earlier run left, so that nothing of it passes for the new one's."""
    for path in (*checkpoint_files(out), out / HISTORY, out / NOTES, out / REPORT):
        path.unlink(missing_ok=True)
    for name in (PREVIEWS, TENSORBOARD):
        shutil.rmtree(out / name, ignore_errors=True)
    for model in out.glob("*.onnx"):
        model.unlink()
