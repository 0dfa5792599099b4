"""Least-cost ways on foot between the cells of a body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

Values = NDArray[np.float64]

# Rows and columns to a cell's neighbours.
_STEPS = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right)


class Footpaths:
    """The cells of a body, and the steps from each to its eight neighbours.

    Cells are numbered in the order of their rows. A step costs the mean of what its two cells cost, times its
    length: the rule of scikit-image's ``MCP_Geometric``, whose graph is made anew for other costs.

    Attributes:
        cells: row and column of each cell, (n, 2).
    """

    def __init__(self, body: NDArray[np.bool_]) -> None:
        self.cells = np.argwhere(body)
        numbers = np.full(np.add(body.shape, 2), -1)
        numbers[1:-1, 1:-1][body] = np.arange(len(self.cells))
        row, column = self.cells.T + 1
        there = np.stack([numbers[row + down, column + right] for down, right in _STEPS], axis=1)
        self._from, which = np.nonzero(there >= 0)
        self._to = there[self._from, which]
        self._length = np.hypot(*np.array(_STEPS).T)[which]
        starts = np.searchsorted(self._from, np.arange(len(self.cells) + 1))
        self._steps = csr_array((self._length, self._to, starts), shape=(len(self.cells),) * 2)

    def distances(self, sources: Sequence[int]) -> Values:
        """Distance of each cell from the nearest of some, (n,), in cells."""
        self._steps.data = self._length
        found: Values = dijkstra(self._steps, indices=sources, min_only=True)
        return found

    def way(self, cost: Values, sources: Sequence[int], goal: int) -> list[int]:
        """Find the cheapest way from one of some cells to another.

        Args:
            cost: of each cell, positive, (n,).
            sources: where it may start.
            goal: where it ends.

        Returns:
            its cells, first to last.
        """
        self._steps.data = self._length * (cost[self._from] + cost[self._to]) / 2
        _, before, _ = dijkstra(self._steps, indices=sources, min_only=True, return_predecessors=True)
        way, came_from = [goal], before.tolist()
        while came_from[way[-1]] >= 0:
            way.append(came_from[way[-1]])
        return way[::-1]
