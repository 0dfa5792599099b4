"""Sparse matrices times few columns, as weighted bags."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


class Bags(NamedTuple):
    """A sparse matrix by rows: row i sums ``weights * values[indices]`` from ``offsets[i]`` to the next.

    A weighted ``embedding_bag`` is the fastest of torch's ways to multiply it by few columns, and sums each
    row in one order on every device.
    """

    indices: Tensor
    offsets: Tensor
    weights: Tensor

    def __call__(self, values: Tensor) -> Tensor:
        """Multiply with (columns, channels).

        >>> rows = Bags(torch.tensor([0, 0, 1]), torch.tensor([0, 1]), torch.tensor([2.0, 1.0, 3.0]))
        >>> rows(torch.tensor([[3.0], [4.0]])).tolist()
        [[6.0], [15.0]]
        """
        result: Tensor = embedding_bag(
            self.indices, values, self.offsets, mode="sum", per_sample_weights=self.weights
        )
        return result


def every(size: int, count: int, like: Tensor) -> Tensor:
    """Offsets of ``count`` bags of ``size`` entries each; past the last entry, bags are empty."""
    return torch.arange(0, size * count, size, dtype=like.dtype, device=like.device)


def rows_of(indices: Tensor, weights: Tensor) -> Bags:
    """Make the matrix of which every row has the same number of entries, (rows, entries)."""
    rows, entries = indices.shape
    return Bags(indices.reshape(-1), every(entries, rows, indices), weights.reshape(-1))
