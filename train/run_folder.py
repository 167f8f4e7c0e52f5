"""What a run leaves behind: settings, checkpoints, previews, scalars."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from nst.infer.errors import UserError
from nst.infer.files import atomic_write, ensure_folder
from nst.infer.pictures.images import write_image
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.painting import to_picture, to_tensor
from nst.train.photos import PhotoBatch, PhotoDataModule
from nst.train.system import StyleTransferSystem

PREVIEWS = "preview"
TENSORBOARD = "tensorboard"
PREVIEW_PHOTOS = 4
PREVIEW_LONG_SIDE_PX = 512


class RunFolder(pl.Callback):
    """Writes a run's folder.

    ::

        config.yaml           the settings, all of them
        checkpoints/last.ckpt the state of the training, and the network
        preview/step_*.png    fixed photos, above them stylized as far as the training is
        tensorboard/          scalars and the same pictures
        STYLE.onnx            the network, once the run is over

    Args:
        out: the folder; ``runs/NAME OF THE PAINTING`` if not given.
        checkpoint_every: steps between two checkpoints.
        preview_every: steps between two previews.
        overwrite: use a folder that holds a run already.
    Raises:
        UserError: if a number is under 1.
    """

    def __init__(
        self,
        out: Path | None = None,
        checkpoint_every: int = 100,
        preview_every: int = 250,
        overwrite: bool = False,
    ) -> None:
        if min(checkpoint_every, preview_every) < 1:
            raise UserError("checkpoint_every and preview_every must be at least 1")
        self.out = out
        self.checkpoint_every = checkpoint_every
        self.preview_every = preview_every
        self.overwrite = overwrite
        self.last_step = 0
        self.photos: list[Tensor] = []
        self.unreadable: set[str] = set()

    def prepare(self, *, style: str, config: str) -> Path:
        """Make the folder and write the settings into it.

        Args:
            style: name of the style, for the default folder.
            config: the settings as YAML.
        Returns:
            The folder.
        Raises:
            UserError: if it cannot be written to, or holds a run already.
        """
        out = Path("runs") / style if self.out is None else Path(self.out)
        if (out / LAST_CHECKPOINT).exists():
            if not self.overwrite:
                raise UserError(
                    f"{out} holds a finished or interrupted run: choose another --out, "
                    "or pass --run.overwrite true"
                )
            clear(out)
        for folder in (out, out / LAST_CHECKPOINT.parent, out / PREVIEWS):
            ensure_folder(folder)
        with atomic_write(out / "config.yaml") as path:
            path.write_text(config, encoding="utf-8")
        self.out = out
        return out

    def logger(self) -> TensorBoardLogger:
        """TensorBoard scalars and images inside the folder."""
        return TensorBoardLogger(save_dir=self.folder, name=TENSORBOARD, version="")

    @property
    def folder(self) -> Path:
        """The folder, once ``prepare`` has made it."""
        assert self.out is not None, "prepare() comes first"
        return self.out

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Choose the photos of the previews."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        assert isinstance(data, PhotoDataModule)
        self.photos = data.preview_photos(PREVIEW_PHOTOS, long_side_px=PREVIEW_LONG_SIDE_PX)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: PhotoBatch,
        batch_idx: int,
    ) -> None:
        """Write what is due after this step."""
        for line in batch.unreadable:
            if line not in self.unreadable:
                print(f"skipped: {line}", file=sys.stderr)  # noqa: T201
                self.unreadable.add(line)
        step = trainer.global_step
        if step == self.last_step:  # gradients are being accumulated
            return
        self.last_step = step
        if step % self.checkpoint_every == 0:
            self.save_checkpoint(trainer, pl_module)
        if step % self.preview_every == 0:
            self.save_preview(trainer, pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the last state, where the last step did not."""
        if self.last_step % self.checkpoint_every:
            self.save_checkpoint(trainer, pl_module)
        if self.last_step % self.preview_every:
            self.save_preview(trainer, pl_module)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """After Ctrl-C or SIGTERM keep what was learned."""
        if isinstance(exception, KeyboardInterrupt | SystemExit) and self.last_step > 0:
            self.save_checkpoint(trainer, pl_module)

    def save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write ``checkpoints/last.ckpt``.

        Raises:
            UserError: if the network is not finite any more. The checkpoint before it is kept.
        """
        if not all(torch.isfinite(parameter).all() for parameter in pl_module.parameters()):
            raise UserError(
                f"the training diverged before step {trainer.global_step}: lower "
                "--model.learning_rate or --model.style_strength; the last good state is kept in "
                f"{self.folder / LAST_CHECKPOINT}, if there was one"
            )
        with atomic_write(self.folder / LAST_CHECKPOINT) as path:
            trainer.save_checkpoint(path)

    def save_preview(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the fixed photos as they are stylized now, and show them in TensorBoard."""
        if not self.photos:
            return
        assert isinstance(pl_module, StyleTransferSystem)
        strip = preview_strip(pl_module.net, self.photos)
        write_image(strip, self.folder / PREVIEWS / f"step_{trainer.global_step:06d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("preview", to_tensor(strip), trainer.global_step)


def clear(out: Path) -> None:
    """Remove what an earlier run left, so that nothing of it passes for the new one's."""
    (out / LAST_CHECKPOINT).unlink(missing_ok=True)
    for name in (PREVIEWS, TENSORBOARD):
        shutil.rmtree(out / name, ignore_errors=True)
    for model in out.glob("*.onnx"):
        model.unlink()


def preview_strip(net: torch.nn.Module, photos: list[Tensor]) -> Image.Image:
    """Photos side by side, above them what the network makes of them.

    Args:
        net: takes and gives (1, 3, H, W), RGB in [0, 1]. It runs as it is written, also where it
            was compiled: every size of photo would be compiled anew.
        photos: (3, H, W) each, any sizes.
    """
    device = next(net.parameters()).device
    with torch.no_grad():
        stylized = [net.forward(photo.unsqueeze(0).to(device))[0] for photo in photos]
    height = max(photo.shape[1] for photo in photos)
    strip = Image.new("RGB", (sum(photo.shape[2] for photo in photos), 2 * height), "white")
    left = 0
    for photo, result in zip(photos, stylized, strict=True):
        strip.paste(to_picture(result), (left, 0))
        strip.paste(to_picture(photo), (left, height))
        left += photo.shape[2]
    return strip
