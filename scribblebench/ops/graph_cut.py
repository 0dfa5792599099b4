"""Potts energies of a graph, lowered by alpha-expansion (Boykov, Veksler and Zabih, PAMI 2001)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
# scipy's flows are int32; all that can flow together stays well below.
_LARGEST_FLOW = 2.0**29


@dataclass(frozen=True)
class Potts:
    """``sum_i u_i(l_i) + sum_ij w_ij [l_i != l_j]`` over the nodes and edges of a graph.

    Attributes:
        unary: cost of each label at each node, (nodes, labels); infinite where it is out of the question.
        edges: pairs of nodes, each pair once, (edges, 2).
        weights: cost of different labels at an edge's ends, at least 0, (edges,).
    """

    unary: Floats
    edges: Indices
    weights: Floats

    def energy(self, labels: Indices) -> float:
        """The energy of a labelling, (nodes,).

        >>> line = Potts(np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([[0, 1]]), np.array([0.5]))
        >>> line.energy(np.array([0, 1])), line.energy(np.array([1, 1]))
        (0.5, 1.0)
        """
        differ = labels[self.edges[:, 0]] != labels[self.edges[:, 1]]
        own = self.unary[np.arange(len(labels)), labels]
        return float(own.sum() + self.weights[differ].sum())


def alpha_expansion(potts: Potts) -> Indices:
    """Lower an energy until no expansion of one label lowers it further.

    Such a labelling costs at most twice the least energy, and is of least energy where there are two labels.
    Costs are rounded to 4e-9 of the sum of the weights.

    >>> unary = np.array([[0.0, 9.0], [0.6, 0.0], [9.0, 0.0]])
    >>> chain = Potts(unary, np.array([[0, 1], [1, 2]]), np.array([1.0, 0.1]))
    >>> alpha_expansion(chain).tolist()
    [0, 0, 1]

    Args:
        potts: the energy. Each node has a label of finite cost.

    Returns:
        A label for each node, int64 (nodes,).
    """
    labels: Indices = potts.unary.argmin(axis=1)
    if not np.isfinite(potts.unary[np.arange(len(labels)), labels]).all():
        raise ValueError("a node has no label of finite cost")
    energy, count, failures, label = potts.energy(labels), potts.unary.shape[1], 0, 0
    while failures < count:
        expanded = _expand(potts, labels, label)
        lower = potts.energy(expanded)
        if lower < energy:
            labels, energy, failures = expanded, lower, 0
        failures, label = failures + 1, (label + 1) % count
    return labels


def _expand(potts: Potts, labels: Indices, label: int) -> Indices:
    """Let every node choose between its label and one other, at the least energy.

    With x = 1 where the other is taken, an edge costs
    ``A + (C - A) x_i - C x_j + (B + C - A) (1 - x_i) x_j``: A if both keep, B if only i keeps, C if only j.
    """
    one, other = potts.edges.T
    keep = labels != label
    differ = potts.weights * (labels[one] != labels[other])
    only_one, only_other = potts.weights * keep[one], potts.weights * keep[other]
    gain = potts.unary[:, label] - potts.unary[np.arange(len(labels)), labels]
    gain += np.bincount(one, only_other - differ, len(labels)) - np.bincount(other, only_other, len(labels))
    expanded: Indices = labels.copy()
    expanded[_least(gain, one, other, only_one + only_other - differ)] = label
    return expanded


def _least(cost: Floats, one: Indices, other: Indices, weights: Floats) -> NDArray[np.bool_]:
    """Minimise ``sum_i cost_i x_i + sum_ij weights_ij (1 - x_i) x_j`` over x of 0 and 1, weights >= 0."""
    count = len(cost)
    scale = _LARGEST_FLOW / (2 * weights.sum() or 1.0)
    between = np.rint(weights * scale)
    # A node whose own cost exceeds all its edges is decided: more would change nothing, not even if infinite.
    enough = np.bincount(one, between, count) + np.bincount(other, between, count) + 1
    own = np.rint(np.clip(cost * scale, -enough, enough))
    nodes, source, sink = np.arange(count), count, count + 1
    starts = np.concatenate([np.full(count, source), nodes, one])
    ends = np.concatenate([nodes, np.full(count, sink), other])
    capacities = np.concatenate([own.clip(min=0), (-own).clip(min=0), between]).astype(np.int32)
    graph = csr_array(coo_array((capacities, (starts, ends)), shape=(count + 2, count + 2)))
    left = graph - maximum_flow(graph, source, sink).flow
    left.eliminate_zeros()
    kept = np.zeros(count + 2, dtype=bool)
    kept[breadth_first_order(left, source, return_predecessors=False)] = True
    return ~kept[:count]
