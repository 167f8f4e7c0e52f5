"""The training objective: how far a stylized batch is from its photos and from the painting."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nst.models.losses import ContentLoss, LossForm, StyleLoss, TotalVariationLoss
from nst.models.vgg import VGGFeatures

DEFAULT_CONTENT_LAYERS = ("relu3_1",)
DEFAULT_STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
DEFAULT_STYLE_WEIGHT = 12.0
"""For the relative form: total = content + 12 * style."""


class LossTerms(NamedTuple):
    """The parts of the loss, unweighted, and their weighted sum. Scalars."""

    total: Tensor
    content: Tensor
    style: Tensor
    total_variation: Tensor


class PerceptualLoss(nn.Module):
    """content_weight * content + style_weight * style + tv_weight * total variation.

    Args:
        painting: (1, 3, H, W), RGB in [0, 1]. Its size sets the scale of the strokes.
        vgg: must give all the layers named here. Its padding decides what the border of a picture
            is compared with, see ``VGGFeatures``.
        content_layers: where photos and stylized images are compared.
        style_layers: where Gram matrices are compared with the painting's.
        style_layer_weights: one per style layer; all 1 if not given.
        form: see ``nst.models.losses``.
        content_weight, style_weight, tv_weight: finite, at least 0.
    Raises:
        ValueError: if a weight is out of range, a list of layers is empty or names one twice, or
            layers and weights do not fit.
    Source:
        Johnson et al. 2016, eq. 5.
    """

    def __init__(
        self,
        painting: Tensor,
        *,
        vgg: VGGFeatures,
        content_layers: Sequence[str] = DEFAULT_CONTENT_LAYERS,
        style_layers: Sequence[str] = DEFAULT_STYLE_LAYERS,
        style_layer_weights: Sequence[float] | None = None,
        form: LossForm = "relative",
        content_weight: float = 1.0,
        style_weight: float = DEFAULT_STYLE_WEIGHT,
        tv_weight: float = 0.0,
    ) -> None:
        super().__init__()
        check_weights(content_weight, style_weight, tv_weight)
        check_distinct("content", content_layers)
        check_distinct("style", style_layers)
        self.vgg = vgg
        self.content_weight = content_weight
        self.style_weight = style_weight
        self.tv_weight = tv_weight
        self.content_loss = ContentLoss(content_layers, form=form)
        with torch.no_grad():
            target = self.vgg(painting, style_layers)
        self.style_loss = StyleLoss(target, layer_weights=style_layer_weights, form=form)
        self.tv_loss = TotalVariationLoss()

    def forward(
        self, stylized: Tensor, photos: Tensor, *, strength: Tensor | float = 1.0
    ) -> LossTerms:
        """Compare a batch with its photos and with the painting.

        Args:
            stylized: (B, 3, H, W), RGB around [0, 1].
            photos: (B, 3, H, W), RGB in [0, 1]. They get no gradient.
            strength: the style counts this many times its weight.
        """
        features = self.vgg(stylized, self.vgg.layers)
        with torch.no_grad():
            target = self.vgg(photos, self.content_loss.layers)
        content = self.content_loss(features, target)
        style = self.style_loss(features)
        variation = self.tv_loss(stylized)
        total = (
            self.content_weight * content
            + strength * self.style_weight * style
            + self.tv_weight * variation
        )
        return LossTerms(total, content, style, variation)


def check_weights(*weights: float) -> None:
    """Raise ValueError unless all are finite and at least 0."""
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        wrong = ", ".join(str(weight) for weight in weights)
        raise ValueError(f"the weights of the loss must be finite and at least 0, not {wrong}")


def check_distinct(kind: str, layers: Sequence[str]) -> None:
    """Raise ValueError if there is no layer, or one stands there twice."""
    if not layers or len(set(layers)) < len(layers):
        listed = ", ".join(layers) or "none"
        raise ValueError(f"give at least one {kind} layer and each once, not: {listed}")
