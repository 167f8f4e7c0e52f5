"""A few steps of a run and a preview, to see how long they take."""

import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch

from nst.infer.pictures.images import encode_image
from nst.train.callbacks.previews import PREVIEW_LONG_SIDE_PX, PREVIEW_PHOTOS, preview_strip
from nst.train.photos import PhotoBatch, PhotoDataModule
from nst.train.system import StyleTransferSystem

WARM_UP_STEPS = 3
"""Steps of each kind that are not counted: much is made ready in the first ones."""
LEAST_STEPS = 2
STYLE_S = 2.0
KNOB_S = 1.0
"""How long steps of each kind are counted."""

ENDLESS_STEPS = 2**53
ALL_KNOB = math.nextafter(1.0, 0.0)
"""A share of the knob with which every step but the first is one of the knob."""


class Pace(NamedTuple):
    """Seconds that a step takes.

    Attributes:
        style_s: at full strength, with the loss of stability.
        knob_s: one that teaches strengths below 1.
    """

    style_s: float
    knob_s: float


class PreviewCost(NamedTuple):
    """What one preview takes."""

    seconds: float
    size_bytes: int


class Trial(pl.Callback):
    """Does steps of the style, then of the knob, and ends the training. Writes nothing.

    Attributes:
        ready_s: when the first step was over, on the monotonic clock.
        preview: what one takes.
    """

    def __init__(self) -> None:
        self.ready_s = 0.0
        self.preview = PreviewCost(0.0, 0)
        self._measured: list[float] = []
        self._knob_share = 0.0
        self._step = 0
        self._counted = -WARM_UP_STEPS
        self._began_s = 0.0

    @property
    def pace(self) -> Pace:
        """What was measured."""
        return Pace(self._measured[0], self._measured[-1])

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the limits of the run away, which may be shorter, and begin with the style."""
        assert isinstance(pl_module, StyleTransferSystem)
        trainer.fit_loop.epoch_loop.max_steps = ENDLESS_STEPS
        self._knob_share, pl_module.knob_share = pl_module.knob_share, 0.0
        self._step = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: PhotoBatch,
        batch_idx: int,
    ) -> None:
        """Count this step; go over to the next kind, or to the end."""
        if trainer.global_step == self._step:  # gradients are being accumulated
            return
        self._step = trainer.global_step
        if not self.ready_s:
            self.ready_s = settled(trainer)
        self._counted += 1
        if self._counted == 0:
            self._began_s = settled(trainer)
        limit_s = KNOB_S if self._measured else STYLE_S
        is_enough = self._counted >= LEAST_STEPS and time.monotonic() - self._began_s >= limit_s
        # Several processes have to go on together.
        if trainer.strategy.broadcast(is_enough):
            self._finish_kind(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make a preview, in memory, while the network is on its device."""
        assert isinstance(pl_module, StyleTransferSystem)
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, PhotoDataModule)
        photos = data.preview_photos(PREVIEW_PHOTOS, long_side_px=PREVIEW_LONG_SIDE_PX)
        if photos and trainer.is_global_zero:
            began_s = time.monotonic()
            picture = encode_image(preview_strip(pl_module.net, photos), Path("preview.png"))
            self.preview = PreviewCost(time.monotonic() - began_s, len(picture))

    def _finish_kind(self, trainer: pl.Trainer, system: pl.LightningModule) -> None:
        assert isinstance(system, StyleTransferSystem)
        self._measured.append((settled(trainer) - self._began_s) / self._counted)
        self._counted = -WARM_UP_STEPS
        if len(self._measured) == 1 and self._knob_share:
            system.knob_share = ALL_KNOB
            return
        system.knob_share = self._knob_share
        trainer.fit_loop.epoch_loop.max_steps = trainer.global_step


def settled(trainer: pl.Trainer) -> float:
    """The monotonic clock once the device has done all that it was given."""
    if trainer.strategy.root_device.type == "cuda":
        torch.cuda.synchronize(trainer.strategy.root_device)
    return time.monotonic()
