"""The random walk as it is handed about: queries and keys, never an n x n matrix nobody asked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Energies:
    """The factors of the walk's energies ``E = Q K^T`` on a grid of ``n = height * width`` cells.

    The transition matrix is ``P = softmax(E)`` over each row (paper, Eq. 4). Cells are in row-major order.

    Attributes:
        queries: float32 (batch, n, width).
        keys: float32 (batch, n, width); the same tensor as ``queries`` for the inner product.
        height: rows of the grid.
        width: columns of the grid.
    """

    queries: Tensor
    keys: Tensor
    height: int
    width: int

    def matrix(self) -> Tensor:
        """The transition matrix itself, (batch, n, n): for figures and tests, not for training."""
        return torch.softmax(self.queries @ self.keys.transpose(1, 2), dim=-1)

    def detach(self) -> Energies:
        """The same factors, outside the graph."""
        return Energies(self.queries.detach(), self.keys.detach(), self.height, self.width)
