"""The progress of a run on the terminal: step, losses, images per second, time left."""

import math
import sys
import time
from collections import deque
from typing import Any, TextIO

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from nst.train.photos import PhotoBatch
from nst.train.schedule import share_done

WINDOW_STEPS = 50
LIVE_INTERVAL_S = 0.25
PLAIN_INTERVAL_S = 10.0
ALL_LOSSES_COLUMNS = 110
"""A terminal narrower than this shows the total loss alone, so that the time left fits."""


class TrainingProgress(ProgressBar):
    """One live line on a terminal; elsewhere a plain line every ten seconds.

    Args:
        stream: where the lines go; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self.console = Console(file=stream or sys.stderr, highlight=False)
        self.bar = Progress(
            BarColumn(bar_width=None),
            TextColumn("{task.description}"),
            console=self.console,
            expand=True,
        )
        self.task = self.bar.add_task("starting", total=1.0)
        self.steps: deque[tuple[float, int]] = deque(maxlen=WINDOW_STEPS)
        self.started_s = 0.0
        self.drawn_s = 0.0

    def disable(self) -> None:
        """Called by Lightning on every process but the first."""
        self.bar.disable = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock and the live line."""
        self.started_s = self.drawn_s = time.monotonic()
        self.steps.append((self.started_s, 0))
        if self.console.is_terminal:
            self.bar.start()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: PhotoBatch,
        batch_idx: int,
    ) -> None:
        """Show where the run is."""
        now_s = time.monotonic()
        self.steps.append((now_s, len(batch.photos)))
        live = self.console.is_terminal
        if now_s - self.drawn_s >= (LIVE_INTERVAL_S if live else PLAIN_INTERVAL_S):
            self.drawn_s = now_s
            self.draw(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the last state on the screen."""
        self.finish(trainer)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Give the terminal back before anything else is printed."""
        self.finish(trainer)

    def draw(self, trainer: pl.Trainer) -> None:
        """Show the state: on the live line, elsewhere on a line of its own."""
        if self.bar.disable:
            return
        if self.console.is_terminal:
            wide = self.console.width >= ALL_LOSSES_COLUMNS
            status = self.status(trainer, all_losses=wide)
            self.bar.update(self.task, completed=share_done(trainer), description=status)
        else:
            self.console.print(self.status(trainer, all_losses=True), soft_wrap=True)

    def finish(self, trainer: pl.Trainer) -> None:
        """Show the last state and give the terminal back."""
        if len(self.steps) > 1:
            self.draw(trainer)
        if self.console.is_terminal:
            self.bar.stop()

    @property
    def images_per_s(self) -> float:
        """Speed over the last steps."""
        elapsed_s = self.steps[-1][0] - self.steps[0][0]
        images = sum(count for _, count in list(self.steps)[1:])
        return images / elapsed_s if elapsed_s > 0 else 0.0

    def status(self, trainer: pl.Trainer, *, all_losses: bool) -> str:
        """One line: step, loss, images per second, time left; at most 60 columns without losses."""
        total, content, style = (
            float(trainer.callback_metrics.get(f"loss/{name}", math.nan))
            for name in ("total", "content", "style")
        )
        steps = f"{trainer.global_step}"
        if trainer.max_steps > 0:
            steps += f"/{trainer.max_steps}"
        parts = f" (content {content:.3f}, style {style:.4f})" if all_losses else ""
        return (
            f"step {steps}  loss {total:.3f}{parts}  "
            f"{self.images_per_s:.1f} images/s  {self.time_left(trainer)} left"
        )

    def time_left(self, trainer: pl.Trainer) -> str:
        """Minutes and seconds, or hours and minutes, at the pace so far."""
        share = share_done(trainer)
        if share <= 0:
            return "?"
        elapsed_s = time.monotonic() - self.started_s
        return duration(elapsed_s * (1 - share) / share)


def duration(seconds: float) -> str:
    """``4:07`` for minutes and seconds, ``2 h 05 min`` from an hour up."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60} h {minutes % 60:02d} min"
