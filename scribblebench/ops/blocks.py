"""A batch at a fraction of its resolution: one pixel for each block of ``side`` x ``side``.

Rows and columns that fill no block are left out.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, one_hot


def mean_of_blocks(maps: Tensor, side: int) -> Tensor:
    """Average float maps (batch, channels, height, width); at ``side`` 2 that is bilinear reduction."""
    return maps if side == 1 else avg_pool2d(maps, side)


def first_of_blocks(pixels: Tensor, side: int) -> Tensor:
    """Read the upper left pixel of each block of (..., height, width): reduction to the nearest.

    >>> first_of_blocks(torch.arange(5).expand(5, 5), 2)[0]
    tensor([0, 2])
    """
    height, width = pixels.shape[-2:]
    return pixels[..., : height // side * side : side, : width // side * side : side]


def label_of_blocks(labels: Tensor, side: int, classes: int, ignore_index: int) -> Tensor:
    """The class of most labelled pixels of each block, the ignore index where none is labelled.

    >>> label_of_blocks(torch.tensor([[[9, 9, 9, 9], [9, 2, 1, 2], [9] * 4, [9] * 4]]), 2, 3, 9)
    tensor([[[2, 1],
             [9, 9]]])

    Args:
        labels: long (batch, height, width).
        side: of a block.
        classes: number of classes; an equal count goes to the lower one.
        ignore_index: the label of pixels that carry no class.

    Returns:
        long (batch, height // side, width // side).
    """
    if side == 1:
        return labels
    labelled = labels != ignore_index
    marks = one_hot(torch.where(labelled, labels, classes), classes + 1)[..., :classes]
    most, winner = mean_of_blocks(marks.permute(0, 3, 1, 2).float(), side).max(dim=1)
    return torch.where(most > 0, winner, ignore_index)
