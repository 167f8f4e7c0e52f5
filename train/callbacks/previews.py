"""Fixed photos, stylized as far as the training is."""

from pathlib import Path

import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor, nn

from nst.infer.pictures.images import write_image
from nst.train.painting import to_picture, to_tensor
from nst.train.photos import PhotoDataModule

PREVIEWS = "preview"
PREVIEW_PHOTOS = 4
PREVIEW_LONG_SIDE_PX = 512


class Previews:
    """Writes ``preview/step_*.png``, and shows the same pictures in TensorBoard.

    Args:
        folder: of the run.
        data: where the photos come from.
    """

    def __init__(self, folder: Path, data: PhotoDataModule) -> None:
        self.folder = folder / PREVIEWS
        self.photos = data.preview_photos(PREVIEW_PHOTOS, long_side_px=PREVIEW_LONG_SIDE_PX)
        self.saved_step = 0

    def save(self, trainer: pl.Trainer, net: nn.Module) -> None:
        """Write the photos as they are stylized now."""
        self.saved_step = trainer.global_step
        if not self.photos:
            return
        strip = preview_strip(net, self.photos)
        write_image(strip, self.folder / f"step_{trainer.global_step:06d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("preview", to_tensor(strip), trainer.global_step)


def preview_strip(net: nn.Module, photos: list[Tensor]) -> Image.Image:
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
