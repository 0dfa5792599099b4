"""Pixels seen from the network's grid."""

from __future__ import annotations

import torch
from torch import Tensor


def at_cells(pixels: Tensor, height: int, width: int) -> Tensor:
    """Read what lies under the centre of each cell.

    The first and last cells sit on the first and last pixels (``align_corners``), as strided convolutions put
    them on sides of ``k * stride + 1`` pixels.

    Args:
        pixels: (..., pixel rows, pixel columns).
        height: rows of the grid.
        width: columns of the grid.

    Returns:
        (..., height, width).

    >>> at_cells(torch.arange(5).expand(5, 5), 3, 3)[0]
    tensor([0, 2, 4])
    """
    rows, columns = (
        torch.linspace(0, side - 1, count, device=pixels.device, dtype=torch.float64).round().long()
        for side, count in zip(pixels.shape[-2:], (height, width), strict=True)
    )
    return pixels[..., rows[:, None], columns]
