"""Pairs of cells within a radius, and their affinity (AffinityNet, Ahn and Kwak, CVPR 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor


@lru_cache(maxsize=8)
def offsets(radius: int) -> tuple[tuple[int, int], ...]:
    """List the half of the disc ``dy^2 + dx^2 < radius^2`` that meets each pair of cells once.

    >>> len(offsets(5))
    34

    Returns:
        Pairs of dy, at least 0, and dx.
    """
    reach = range(-radius + 1, radius)
    return tuple(
        (dy, dx)
        for dy in range(radius)
        for dx in reach
        if (dy > 0 or dx > 0) and dy * dy + dx * dx < radius * radius
    )


def pairs(maps: Tensor, radius: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield, for each offset, what both cells of each pair hold.

    Args:
        maps: (..., h, w).
        radius: in cells.

    Yields:
        Two tensors (..., h', w'): the earlier cell, in rows, and the later one. Offsets that leave the grid
        give none.
    """
    height, width = maps.shape[-2:]
    for dy, dx in offsets(radius):
        if dy < height and abs(dx) < width:
            left, right = max(0, -dx), max(0, dx)
            one = maps[..., : height - dy, left : width - right]
            yield one, maps[..., dy:, right : width - left]


def affinities(features: Tensor, radius: int) -> Tensor:
    """``W = exp(-mean over channels of |f - f'|)`` of every pair, in the order of ``pairs``.

    Args:
        features: (batch, channels, h, w).
        radius: in cells.

    Returns:
        (batch, pairs) in (0, 1].
    """
    found = [torch.exp(-(one - other).abs().mean(dim=1)).flatten(1) for one, other in pairs(features, radius)]
    return torch.cat(found, dim=1) if found else features.new_zeros(len(features), 0)


def transition(features: Tensor, radius: int, beta: float) -> sparse.csr_array:
    """Build the walk's matrix: affinities to the power beta, their columns divided by their sums.

    A cell's affinity to itself is 1. As in the public code, class maps are rows that the matrix is multiplied
    to from the right: each cell takes a weighted mean of those around it.

    Args:
        features: (channels, h, w).
        radius: in cells.
        beta: the power; the larger, the less crosses a weak link.

    Returns:
        T, (n, n) with n = h * w cells and at most twice the offsets' number plus one entries a column.
    """
    height, width = features.shape[-2:]
    cells = torch.arange(height * width).view(height, width)
    ends = [(one.flatten(), other.flatten()) for one, other in pairs(cells, radius)]
    weights = affinities(features[None], radius)[0].double().cpu().numpy() ** beta
    one, other = (torch.cat([cells[:0, 0], *(end[i] for end in ends)]).numpy() for i in (0, 1))
    size = (height * width, height * width)
    half = sparse.coo_array((weights, (one, other)), size)
    matrix = sparse.csr_array(half + half.T + sparse.eye_array(height * width))
    return sparse.csr_array(matrix @ sparse.diags_array(1 / matrix.sum(axis=0)))


def walked(values: NDArray[np.float64], matrix: sparse.csr_array, steps: int) -> NDArray[np.float64]:
    """Multiply class maps ``steps`` times by the matrix: ``V T^steps``, without ever holding the power.

    Args:
        values: (classes, n).
        matrix: (n, n).
        steps: of the walk; the publication's 2^8.

    Returns:
        (classes, n).
    """
    onward = sparse.csr_array(matrix.T)
    columns = values.T
    for _ in range(steps):
        columns = onward @ columns
    return columns.T
