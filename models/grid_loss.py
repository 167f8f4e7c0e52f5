"""No grids: patterns that repeat with the stride of the network, wherever the photo is.

Upsampling a flat field leaves no grid, but a field with texture goes through a ReLU afterwards,
and its mean then depends on the place within a cell. The Gram matrices reward such a pattern as
they reward any fine texture.
"""

import torch.nn.functional as F
from torch import Tensor, nn

PERIOD_PX = 4
"""Stride of the networks. A grid of 2 px has this period too."""
WINDOW_PX = 64
"""Smallest side of the windows that are looked at on their own."""


class GridLoss(nn.Module):
    """Mean square of the pattern of 4x4 px that a window has on average.

    The means over whole cells are taken off first, so that a gradient across the window is none.
    Texture of other periods averages out.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Judge a batch.

        Args:
            images: (B, C, H, W), H and W at least 16.
        Returns:
            A scalar, in squared units of the images.
        """
        fine = images[..., 1:-2, 1:-2] - F.avg_pool2d(images, PERIOD_PX, stride=1)
        rows, columns = (max(1, side // WINDOW_PX) for side in fine.shape[-2:])
        height, width = (
            side // count // PERIOD_PX * PERIOD_PX
            for side, count in zip(fine.shape[-2:], (rows, columns), strict=True)
        )
        cells = fine[..., : rows * height, : columns * width].view(
            *fine.shape[:2],
            *(rows, height // PERIOD_PX, PERIOD_PX),
            *(columns, width // PERIOD_PX, PERIOD_PX),
        )
        pattern = cells.mean(dim=(-5, -2))  # (B, C, rows, 4, columns, 4)
        # Four pixels have their centre between two: a gradient leaves a constant.
        pattern = pattern - pattern.mean(dim=(-3, -1), keepdim=True)
        loss: Tensor = pattern.square().mean()
        return loss
