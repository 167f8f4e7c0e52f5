"""Content, style and smoothness losses: pure functions, and modules that hold their target.

F and F_c are features of C channels and M pixels, G and A Gram matrices divided by C * M. Forms:

``relative``
    Content ||F - F_c||^2 / ||F_c||^2, style ||G - A||^2 / ||A||^2, both averaged over layers. No
    convention of the Gram matrix and no scale of the VGG weights is left in it, so one balance
    carries over between paintings.
``johnson``
    Content ||F - F_c||^2 / (C * M), style ||G - A||^2, both summed over layers (Johnson et al.
    2016, eq. 2 to 4).
``gatys``
    Content ||F - F_c||^2 / 2, summed over layers, style ||G - A||^2 / 4, averaged over layers
    (Gatys et al. 2015, eq. 1, 4 and 5). Their Gram matrix is a plain sum and the division by
    4 C^2 M^2 comes after; here each is divided by its own M, so that the painting may have another
    size than the picture.
``course``
    As taught in Andrew Ng's course on deep learning: content ||F - F_c||^2 / (4 * C * M), style as
    in ``gatys``.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LossForm = Literal["relative", "johnson", "gatys", "course"]


def gram_matrix(features: Tensor) -> Tensor:
    """Channel Gram matrix of each image in a batch, computed in float32 at least.

    Half precision has too little range for the sums: fp16 overflows.

    Args:
        features: (B, C, H, W), floating point, any range.
    Returns:
        (B, C, C), divided by C * H * W, float32 (float64 for float64 features).
    Raises:
        ValueError: if ``features`` is not 4-D.
    Source:
        Johnson et al. 2016, eq. 3.
    """
    if features.dim() != 4:
        raise ValueError(f"features must be (B, C, H, W), not {tuple(features.shape)}")
    gram: Tensor = GramMatrix.apply(features)
    return gram


class GramMatrix(torch.autograd.Function):
    """Gram matrix whose gradient takes one product instead of the two that autograd makes of it."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, C)."""
        ctx.save_for_backward(features)
        with torch.autocast(features.device.type, enabled=False):
            flat = flatten_pixels(features)
            return flat.transpose(1, 2) @ flat / features[0].numel()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """(B, C, C) to (B, C, H, W): F (D + D^T) / CHW for G = F^T F / CHW."""
        (features,) = ctx.saved_tensors
        batch, channels, height, width = features.shape
        symmetric = (gradient + gradient.transpose(1, 2)) / features[0].numel()
        with torch.autocast(features.device.type, enabled=False):
            product: Tensor = flatten_pixels(features) @ symmetric
        return product.view(batch, height, width, channels).permute(0, 3, 1, 2).to(features.dtype)


def flatten_pixels(features: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H * W, C) in float32 at least; no copy if channels are last in memory."""
    return at_least_float32(features).permute(0, 2, 3, 1).flatten(1, 2)


def content_distance(features: Tensor, target: Tensor, *, form: LossForm = "relative") -> Tensor:
    """Distance between feature maps, averaged over the batch.

    Args:
        features: (B, C, H, W), of the stylized images.
        target: (B, C, H, W), of the photos.
        form: see the module's docstring.
    Returns:
        Scalar, at least 0.
    Raises:
        ValueError: if the shapes differ.
    """
    if features.shape != target.shape:
        raise ValueError(f"shapes differ: {tuple(features.shape)} and {tuple(target.shape)}")
    features, target = at_least_float32(features), at_least_float32(target)
    distance = (features - target).square().flatten(1).sum(1)
    if form == "relative":
        return (distance / squared_norm(target)).mean()
    divisors = {"johnson": target[0].numel(), "gatys": 2, "course": 4 * target[0].numel()}
    return distance.mean() / divisors[form]


def style_distance(gram: Tensor, target: Tensor, *, form: LossForm = "relative") -> Tensor:
    """Distance between Gram matrices, averaged over the batch.

    Args:
        gram: (B, C, C), of the stylized images.
        target: (1, C, C) or (B, C, C), of the painting.
        form: see the module's docstring.
    Returns:
        Scalar, at least 0.
    Raises:
        ValueError: if the last two dimensions differ.
    """
    if gram.shape[-2:] != target.shape[-2:]:
        raise ValueError(f"shapes differ: {tuple(gram.shape)} and {tuple(target.shape)}")
    distance = (gram - target).square().flatten(1).sum(1)
    if form == "relative":
        return (distance / squared_norm(target)).mean()
    return distance.mean() if form == "johnson" else distance.mean() / 4


def total_variation(images: Tensor) -> Tensor:
    """Squared differences between neighbouring pixels, per pixel and averaged over the batch.

    The usual form sums over pixels; here it is divided by H * W, so that one weight serves every
    size.

    Args:
        images: (B, C, H, W), floating point.
    Returns:
        Scalar, at least 0.
    Raises:
        ValueError: if ``images`` is not 4-D.
    Source:
        Mahendran and Vedaldi 2015, eq. 3 with beta = 2, as used by Johnson et al. 2016.
    """
    if images.dim() != 4:
        raise ValueError(f"images must be (B, C, H, W), not {tuple(images.shape)}")
    images = at_least_float32(images)
    vertical = (images[..., 1:, :] - images[..., :-1, :]).square().sum()
    horizontal = (images[..., :, 1:] - images[..., :, :-1]).square().sum()
    batch, _, height, width = images.shape
    return (vertical + horizontal) / (batch * height * width)


class ContentLoss(nn.Module):
    """Content distance over several layers: the mean (relative) or the sum (the others)."""

    def __init__(self, layers: Sequence[str], *, form: LossForm = "relative") -> None:
        super().__init__()
        check_form(form)
        self.layers = tuple(layers)
        self.form: LossForm = form

    def forward(self, features: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
        """Both: layer name to (B, C, H, W). Returns a scalar."""
        distances = [
            content_distance(features[layer], target[layer], form=self.form)
            for layer in self.layers
        ]
        total = torch.stack(distances).sum()
        return total / len(distances) if self.form == "relative" else total


def check_layer_weights(weights: Sequence[float], *, layers: int) -> None:
    """Raise ValueError unless there is one weight per layer, none is negative and one above 0."""
    if not layers or len(weights) != layers:
        raise ValueError(f"{layers} style layers but {len(weights)} layer weights")
    if not all(weight >= 0 for weight in weights) or not 0 < sum(weights) < math.inf:
        listed = ", ".join(f"{weight:g}" for weight in weights)
        raise ValueError(f"style layer weights must be at least 0 and one above, not {listed}")


class StyleLoss(nn.Module):
    """Gram distance to one painting over several layers.

    Args:
        target: layer name to the painting's features, (1, C, H, W). Their Gram matrices are kept
            as non-persistent buffers: they follow the module to its device and stay out of
            checkpoints.
        layer_weights: one weight per layer in ``target``, in its order. Relative: of the mean, all
            equal if not given. The others: of the sum; if not given 1 in ``johnson``, 1 / number of
            layers in ``gatys`` and ``course``.
        form: see the module's docstring.
    Raises:
        ValueError: if there is no layer, or weights and layers differ in number, or the weights
            are negative or all 0.
    """

    def __init__(
        self,
        target: Mapping[str, Tensor],
        *,
        layer_weights: Sequence[float] | None = None,
        form: LossForm = "relative",
    ) -> None:
        super().__init__()
        check_form(form)
        weights = [1.0] * len(target) if layer_weights is None else list(layer_weights)
        check_layer_weights(weights, layers=len(target))
        mean = form == "relative" or (layer_weights is None and form != "johnson")
        scale = sum(weights) if mean else 1.0
        self.layer_weights = {
            layer: weight / scale for layer, weight in zip(target, weights, strict=True)
        }
        self.form: LossForm = form
        for layer, features in target.items():
            self.register_buffer(f"{layer}_gram", gram_matrix(features), persistent=False)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Layer name to (B, C, H, W). Returns a scalar."""
        distances = [
            weight
            * style_distance(
                gram_matrix(features[layer]), self.get_buffer(f"{layer}_gram"), form=self.form
            )
            for layer, weight in self.layer_weights.items()
        ]
        return torch.stack(distances).sum()


class TotalVariationLoss(nn.Module):
    """``total_variation`` as a module."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) to a scalar."""
        return total_variation(images)


def check_form(form: str) -> None:
    """Raise ValueError unless ``form`` names a form of the losses."""
    if form not in get_args(LossForm):
        known = ", ".join(get_args(LossForm))
        raise ValueError(f"unknown form of the losses {form!r}: use one of {known}")


def squared_norm(target: Tensor) -> Tensor:
    """(B, ...) to (B,): squared norm of each, kept off 0 for a flat black target."""
    return target.square().flatten(1).sum(1).clamp_min(1e-12)


def at_least_float32(x: Tensor) -> Tensor:
    """Half precision to float32; float32 and float64 as they are."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()
