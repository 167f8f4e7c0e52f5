"""What training may optimise with: Adam, or Muon for the kernels of convolutions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor

OptimizerName = Literal["muon", "adam"]

MOMENTUM = 0.95
NEWTON_SCHULZ_STEPS = 5
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Of X to aX + b(XX')X + c(XX')²X: 5 of them bring singular values from 0.01 to 1 near 1."""

SMALLEST_SIDE = 8
"""Kernels that are narrower or lower as a matrix have too few directions: Adam takes them."""

ADAM_RMS = 0.2
"""How far Adam moves a weight on average, as a share of the learning rate."""


class MuonAdam(torch.optim.Adam):
    """Adam, but kernels of convolutions move by the same amount in every direction.

    The averaged gradient of a kernel, as a matrix of output channels by what one of them sees, is
    replaced by the nearest matrix whose singular values are all 1 (Jordan et al. 2024, *Muon*),
    scaled as Liu et al. 2025 do, so that one learning rate serves both.

    Args:
        groups: of parameters, as every optimiser of PyTorch takes them.
        lr: learning rate.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float) -> None:
        super().__init__(groups, lr=lr)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all parameters that have a gradient.

        Args:
            closure: computes the loss and the gradients anew, if given.
        Returns:
            What the closure returns.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients = {}
        for group in self.param_groups:
            kernels = [
                value for value in group["params"] if is_kernel(value) and value.grad is not None
            ]
            self._move(kernels, group["lr"])
            for kernel in kernels:  # Adam leaves out what has no gradient
                gradients[kernel], kernel.grad = kernel.grad, None
        super().step()
        for kernel, gradient in gradients.items():
            kernel.grad = gradient
        return loss

    def _move(self, kernels: list[Tensor], lr: float) -> None:
        """A step of Muon; kernels of one shape go together."""
        by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
        for kernel in kernels:
            by_shape[kernel.shape].append(kernel)
        for shape, alike in by_shape.items():
            gradients = [kernel.grad for kernel in alike if kernel.grad is not None]
            momenta = [self._momentum(kernel) for kernel in alike]
            torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
            ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)
            matrices = torch.stack(ahead).flatten(2)  # (kernels, output, input x height x width)
            steps = orthogonalize(matrices).reshape(-1, *shape)
            length = lr * ADAM_RMS * max(matrices.shape[1:]) ** 0.5
            torch._foreach_sub_(alike, list((steps * length).unbind()))

    def _momentum(self, kernel: Tensor) -> Tensor:
        state = self.state[kernel]
        if "momentum" not in state:  # which there is not in the state of an Adam either
            # Adam looks for the first when a state is loaded.
            state["step"] = torch.zeros(())
            state["momentum"] = torch.zeros_like(kernel)
        state["step"] += 1
        momentum: Tensor = state["momentum"]
        return momentum


OPTIMIZERS: Mapping[OptimizerName, Callable[..., torch.optim.Optimizer]] = {
    "muon": MuonAdam,
    "adam": torch.optim.Adam,
}


def is_kernel(value: Tensor) -> bool:
    """Whether a parameter is the kernel of a convolution, and large enough as a matrix."""
    return value.ndim == 4 and min(value.shape[0], value[0].numel()) >= SMALLEST_SIDE


def orthogonalize(matrices: Tensor) -> Tensor:
    """The nearest matrices with orthonormal rows or columns, nearly.

    Args:
        matrices: (N, rows, columns).
    Returns:
        The same shape, singular values about 0.7 to 1.2.
    """
    a, b, c = NEWTON_SCHULZ
    rows, columns = matrices.shape[1:]
    x = matrices.mT if rows > columns else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        squared = x @ x.mT
        x = a * x + (b * squared + c * squared @ squared) @ x
    nearest: Tensor = x.mT if rows > columns else x
    return nearest
