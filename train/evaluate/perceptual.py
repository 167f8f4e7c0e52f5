"""Relative content and style loss of a stylized picture, in total and per layer."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nst.models import VGGFeatures, content_distance, gram_matrix, style_distance
from nst.models.perceptual_loss import (
    DEFAULT_CONTENT_LAYERS,
    DEFAULT_STYLE_LAYERS,
    DEFAULT_STYLE_WEIGHT,
    check_distinct,
)


class PerceptualScore(NamedTuple):
    """Losses of one picture: ``total`` is content + 12 * style, each the mean over its layers."""

    total: float
    content: float
    style: float
    content_by_layer: dict[str, float]
    style_by_layer: dict[str, float]


class PerceptualJudge:
    """Compares pictures with a painting, under one VGG.

    Args:
        painting: (1, 3, H, W), RGB in [0, 1].
        vgg: must give the layers.
        content_layers, style_layers: as in ``PerceptualLoss``.
    Raises:
        ValueError: if a list of layers is empty or names one twice.
    """

    def __init__(
        self,
        painting: Tensor,
        *,
        vgg: VGGFeatures,
        content_layers: Sequence[str] = DEFAULT_CONTENT_LAYERS,
        style_layers: Sequence[str] = DEFAULT_STYLE_LAYERS,
    ) -> None:
        check_distinct("content", content_layers)
        check_distinct("style", style_layers)
        self.vgg = vgg
        self.painting = painting.to(vgg.device)
        self.content_layers = tuple(content_layers)
        self.style_layers = tuple(style_layers)
        with torch.no_grad():
            features = vgg(self.painting, layers=self.style_layers)
        self.grams = {layer: gram_matrix(features[layer]) for layer in self.style_layers}

    def content_target(self, photo: Tensor) -> dict[str, Tensor]:
        """What ``score`` needs of a photo, (1, 3, H, W); it serves every model."""
        with torch.no_grad():
            target: dict[str, Tensor] = self.vgg(
                photo.to(self.vgg.device), layers=self.content_layers
            )
        return target

    def score(self, stylized: Tensor, target: dict[str, Tensor]) -> PerceptualScore:
        """Judge one picture, (1, 3, H, W), RGB in [0, 1]."""
        with torch.no_grad():
            features = self.vgg(stylized.to(self.vgg.device))
        content = {
            layer: float(content_distance(features[layer], target[layer]))
            for layer in self.content_layers
        }
        style = {
            layer: float(style_distance(gram_matrix(features[layer]), self.grams[layer]))
            for layer in self.style_layers
        }
        content_loss, style_loss = mean(content), mean(style)
        total = content_loss + DEFAULT_STYLE_WEIGHT * style_loss
        return PerceptualScore(total, content_loss, style_loss, content, style)


def mean(by_layer: dict[str, float]) -> float:
    """Over the layers."""
    return sum(by_layer.values()) / len(by_layer)
