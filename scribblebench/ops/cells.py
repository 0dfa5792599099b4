"""Pixels seen from the network's grid."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, embedding_bag


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


def labels_of_cells(labels: Tensor, height: int, width: int, ignore_index: int) -> Tensor:
    """Give each cell the class of most labelled pixels that are nearest to it: no stroke is too thin.

    >>> labels_of_cells(torch.tensor([[[9, 4, 9, 9, 9], [9, 9, 9, 9, 4], [9, 9, 9, 2, 2]]]), 2, 3, 9)
    tensor([[[9, 4, 9],
             [9, 9, 2]]])

    Args:
        labels: long (batch, pixel rows, pixel columns).
        height: rows of the grid (see ``at_cells``).
        width: columns of the grid.
        ignore_index: the label of pixels that carry no class.

    Returns:
        long (batch, height, width); an equal count goes to the lower class, the ignore index where no pixel
        is labelled.
    """
    image, row, column = (labels != ignore_index).nonzero(as_tuple=True)
    classes = labels[image, row, column]
    cells = (image * height + _nearest(row, labels.shape[-2], height)) * width
    cells += _nearest(column, labels.shape[-1], width)
    count = int(classes.max()) + 1 if len(classes) else 1
    votes = torch.bincount(cells * count + classes, minlength=len(labels) * height * width * count)
    most, winner = votes.view(len(labels), height, width, count).max(dim=-1)
    return torch.where(most > 0, winner, ignore_index)


def _nearest(pixel: Tensor, side: int, count: int) -> Tensor:
    """The cell that a pixel of one axis is nearest to; the later one of two."""
    # Twice the place, in whole numbers: a tie is a tie on every device.
    return (2 * pixel * (count - 1) + max(1, side - 1)).div(2 * max(1, side - 1), rounding_mode="floor")


def around_cells(pixels: Tensor, height: int, width: int) -> Tensor:
    """Average over the square around the centre of each cell, as wide as cells lie apart (or a pixel wider).

    Squares at the border are cut; a mirrored image has mirrored means.

    Args:
        pixels: (batch, channels, pixel rows, pixel columns), of sides ``k * stride + 1``.
        height: rows of the grid.
        width: columns of the grid.

    Returns:
        (batch, channels, height, width).

    >>> around_cells(torch.arange(5.0).expand(1, 1, 5, 5), 3, 3)[0, 0, 0]
    tensor([0.5000, 2.0000, 3.5000])
    """
    sides = zip(pixels.shape[-2:], (height, width), strict=True)
    stride = max(1, *((side - 1) // max(1, cells - 1) for side, cells in sides))
    reach = stride // 2
    return avg_pool2d(pixels, 2 * reach + 1, stride, padding=reach, count_include_pad=False)


def between_cells(grid: Tensor, pixels: Tensor) -> Tensor:
    """Interpolate a grid of cells bilinearly at some pixels: what an upsampled grid would hold there.

    Scribbles label a pixel in a hundred, and this never makes the others. Its gradient adds up in one order,
    unlike that of upsampling on CUDA. Knowing how many pixels there are waits for the device.

    Args:
        grid: (batch, channels, height, width); the outer cells lie on the outer pixels (see ``at_cells``).
        pixels: which are wanted, bool (batch, pixel rows, pixel columns).

    Returns:
        (wanted pixels, channels), in row-major order of the batch.

    >>> line = torch.tensor([0.0, 10.0]).expand(1, 1, 2, 2)
    >>> between_cells(line, torch.tensor([[[True, False, True, True, False]] * 2])).flatten().tolist()
    [0.0, 5.0, 7.5, 0.0, 5.0, 7.5]
    """
    height, width = grid.shape[-2:]
    image, row, column = pixels.nonzero(as_tuple=True)
    rows = _neighbours(row, pixels.shape[-2], height)
    columns = _neighbours(column, pixels.shape[-1], width)
    cells = torch.stack([(image * height + y) * width + x for y, _ in rows for x, _ in columns], dim=1)
    weights = torch.stack([by_row * by_column for _, by_row in rows for _, by_column in columns], dim=1)
    table = grid.permute(0, 2, 3, 1).reshape(-1, grid.shape[1])
    return embedding_bag(cells, table, per_sample_weights=weights.to(table.dtype), mode="sum")


def _neighbours(pixel: Tensor, side: int, count: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The cells before and after each pixel along one axis, and the weight of each."""
    place = pixel * ((count - 1) / max(1, side - 1))
    before = place.long()
    share = place - before
    return (before, 1 - share), ((before + 1).clamp(max=count - 1), share)
