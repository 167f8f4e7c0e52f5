"""What a run leaves behind: settings, checkpoints, previews, scalars, notes."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import TensorBoardLogger

from nst.infer.errors import UserError
from nst.infer.files import atomic_write, ensure_folder, remove_unfinished
from nst.models.checkpoints import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from nst.train.callbacks.agreement import Agreement, Wishes
from nst.train.callbacks.checkpoints import Checkpoints
from nst.train.callbacks.guard import DivergedError, LossGuard
from nst.train.callbacks.history import History, read_history
from nst.train.callbacks.interrupts import Interrupts
from nst.train.callbacks.notes import NOTES, Notes
from nst.train.callbacks.photo_notes import PhotoNotes
from nst.train.callbacks.previews import PREVIEWS, Previews
from nst.train.callbacks.run_files import (
    CONFIG,
    HISTORY,
    REPORT,
    RUNS,
    TENSORBOARD,
    holds_run,
    refuse_run,
    run_of,
)
from nst.train.callbacks.set_aside import SetAside
from nst.train.folder_lock import lock_folder
from nst.train.photos import PhotoBatch, PhotoDataModule
from nst.train.processes import is_first_process
from nst.train.system import StyleTransferSystem

OF_A_RUN = (
    *(str(LAST_CHECKPOINT), str(PREVIOUS_CHECKPOINT), CONFIG, HISTORY, NOTES, REPORT),
    *(str(PREVIEWS), TENSORBOARD, "*.onnx"),
)
"""What a new run removes of the one whose place it takes, as patterns."""


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
        self._guard = LossGuard()
        self._interrupts = Interrupts()
        self._agreement = Agreement()
        self._config = ""
        self._lock = ExitStack()
        self._before: SetAside | None = None
        self._history = History()
        self._checkpoints: Checkpoints
        self._photo_notes: PhotoNotes
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
            settle_run_before(out)
            refuse_run(out)
        ensure_folder(out)
        self._lock = lock_folder(out)
        remove_unfinished(out)
        remove_unfinished(out / LAST_CHECKPOINT.parent)
        self._before = SetAside(out, OF_A_RUN)
        self._before.settle()
        if not is_there and holds_run(out):
            self._before.take()
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
        """Let others work in the folder again. A run that got nowhere leaves the one before."""
        if self._before is not None:
            self._before.settle()
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
        self._photo_notes = PhotoNotes(self.notes)
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
        self._photo_notes.collect(batch)
        assert pl_module.latest is not None
        self._history.collect(pl_module.latest)
        if trainer.global_step == self.last_step:  # gradients are being accumulated
            return
        self.last_step = trainer.global_step
        if self._guard.knows_nothing and pl_module.phase.knob is None:
            total = pl_module.latest.terms["total"]
            self._guard.expect(float(trainer.strategy.reduce(total, reduce_op="mean")))
        row = self._history.end_step(trainer, seconds=self.seconds)
        if row is not None:
            note = self._guard.check(row, pl_module, trainer.optimizers[0])
            if note is not None and trainer.is_global_zero:
                self.notes.add(note)
        mine = Wishes(
            self._interrupts.pending,
            checkpoint=self._checkpoints.is_time(),
            notes=self._photo_notes.has_untold,
        )
        wishes = self._agreement.reach(trainer, mine)
        if wishes.notes:
            self._photo_notes.tell(trainer)
        self._interrupts.pass_on(wishes.signal)
        if self._checkpoints.is_due(self.last_step, is_time=wishes.checkpoint):
            self._save(trainer)
        if trainer.is_global_zero and self.last_step % self.preview_every == 0:
            self._previews.save(trainer, pl_module.net)

    def _save(self, trainer: pl.Trainer) -> bool:
        """Write a checkpoint, if the state is worth one; from the first one on this is the run."""
        is_saved = self._checkpoints.save(trainer)
        if is_saved and self._before is not None:
            self._before.settle()
        return is_saved

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last state.

        Raises:
            UserError: if it went wrong in the steps since the losses were looked at.
        """
        assert isinstance(pl_module, StyleTransferSystem)
        self._interrupts.remove()
        self._photo_notes.tell(trainer)
        if self._checkpoints.saved_step != self.last_step and not self._save(trainer):
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
            self._save(trainer)


def settle_run_before(out: Path) -> None:
    """Put a run back whose place another one was to take, if that one was killed before it could.

    Raises:
        UserError: if another run works in the folder.
    """
    before = SetAside(out, OF_A_RUN)
    if before.is_there:
        with lock_folder(out):
            before.settle()
