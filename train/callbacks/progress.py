"""The progress of a run on the terminal: step, losses, images per second, time left."""

import math
import time
from collections import deque
from typing import Any, TextIO

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar

from nst.train.live_line import LiveLine
from nst.train.photos import PhotoBatch
from nst.train.schedule import share_done
from nst.train.wording import clock_duration

WINDOW_STEPS = 50


class TrainingProgress(ProgressBar):
    """A ``LiveLine`` about the training.

    Args:
        stream: where the line goes; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self.line = LiveLine(stream)
        self.steps: deque[tuple[float, int]] = deque(maxlen=WINDOW_STEPS)
        self.started_s = 0.0
        self.started_share = 0.0

    def disable(self) -> None:
        """Called by Lightning on every process but the first."""
        self.line.disabled = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock and the live line."""
        self.started_s = time.monotonic()
        self.started_share = share_done(trainer)
        self.steps.append((self.started_s, 0))
        self.line.start()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: PhotoBatch,
        batch_idx: int,
    ) -> None:
        """Show where the run is."""
        self.steps.append((time.monotonic(), len(batch.photos) * trainer.world_size))
        self.line.update(share_done(trainer), lambda wide: self.status(trainer, all_losses=wide))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the last state on the screen."""
        self.line.finish()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Give the terminal back before anything else is printed."""
        self.line.finish()

    @property
    def images_per_s(self) -> float:
        """Speed over the last steps."""
        elapsed_s = self.steps[-1][0] - self.steps[0][0]
        images = sum(count for _, count in list(self.steps)[1:])
        return images / elapsed_s if elapsed_s > 0 else 0.0

    def status(self, trainer: pl.Trainer, *, all_losses: bool) -> str:
        """One line: step, loss, images per second, time left; at most 60 columns without losses."""
        kind, title = ("loss", "loss")
        if "knob/total" in trainer.callback_metrics:
            kind, title = "knob", "knob: loss"
        total, content, style = (
            float(trainer.callback_metrics.get(f"{kind}/{name}", math.nan))
            for name in ("total", "content", "style")
        )
        steps = f"{trainer.global_step}"
        if trainer.max_steps > 0:
            steps += f"/{trainer.max_steps}"
        parts = f" (content {content:.3f}, style {style:.4f})" if all_losses else ""
        return (
            f"step {steps}  {title} {total:.3f}{parts}  "
            f"{self.images_per_s:.1f} images/s  {self.time_left(trainer)} left"
        )

    def time_left(self, trainer: pl.Trainer) -> str:
        """Minutes and seconds, or hours and minutes, at the pace so far."""
        share = share_done(trainer)
        done = share - self.started_share
        if done <= 0:
            return "?"
        elapsed_s = time.monotonic() - self.started_s
        return clock_duration(elapsed_s * (1 - share) / done)
