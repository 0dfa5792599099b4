"""Spanning trees of images, and the filter that adds along their paths, in time linear in the pixels.

The tree filter of Song et al. 2019 (arXiv 1909.12513): pixels are joined by a minimum spanning tree, and two
of them are as alike as the product of the affinities on the path between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

Indices = NDArray[np.int64]
# Longer than any edge between pixels that count: padding hangs on the tree without being on a path.
FAR = 1e12


@dataclass(frozen=True)
class Forest:
    """One rooted tree an image, its nodes numbered level by level, so that a level is a slice.

    Attributes:
        nodes: the pixel of each node, a row of the batch's pixels in row-major order, long (n,).
        places: the node of each pixel, long (n,); the inverse of ``nodes``.
        parents: the node above each node, long (n,); a root is its own.
        edges: the edge to the parent, an index into flattened ``edge_lengths``, long (n,); any for a root.
        levels: where each level starts, and the end; the first level holds the roots.
    """

    nodes: Tensor
    places: Tensor
    parents: Tensor
    edges: Tensor
    levels: tuple[int, ...]


def edge_lengths(features: Tensor) -> Tensor:
    """Squared distances of 4-neighbours, with gradient.

    Args:
        features: (batch, channels, height, width).

    Returns:
        (2, batch, height, width): from each pixel to the one below, and to the one at its right; 0 where
        there is none.
    """
    down, across = (features.diff(dim=axis).square().sum(dim=1) for axis in (2, 3))
    return torch.stack([pad(down, (0, 0, 0, 1)), pad(across, (0, 1))])


def spanning_forest(lengths: Tensor, counted: Tensor) -> Forest:
    """Make each image's minimum spanning tree on its grid of 4 neighbours.

    The trees are found on the CPU, wherever the lengths lie.

    Args:
        lengths: of the edges (see ``edge_lengths``).
        counted: bool (batch, height, width); an edge that touches a pixel that does not count comes last.
    """
    pixels = np.arange(counted.numel()).reshape(counted.shape)
    weights = torch.where(joined(counted), lengths.detach(), FAR).double().cpu().numpy()
    first = np.concatenate([pixels[:, :-1].ravel(), pixels[:, :, :-1].ravel()])
    second = np.concatenate([pixels[:, 1:].ravel(), pixels[:, :, 1:].ravel()])
    lengths_of = np.concatenate([weights[0, :, :-1].ravel(), weights[1, :, :, :-1].ravel()])
    # One more node joins the roots, the images' middles, so that scipy sees one tree.
    roots = pixels[:, counted.shape[1] // 2, counted.shape[2] // 2]
    ends = np.concatenate([first, roots]), np.concatenate([second, np.full_like(roots, pixels.size)])
    # Zero would be no edge to scipy.
    values = 1 + np.concatenate([lengths_of, np.zeros(len(roots))])
    graph = coo_array((values, ends), shape=(pixels.size + 1, pixels.size + 1)).tocsr()
    order, above = breadth_first_order(minimum_spanning_tree(graph), pixels.size, directed=False)
    return _number(order[1:].astype(np.int64), above, counted)


def joined(counted: Tensor) -> Tensor:
    """Which edges join two pixels that count, in the shape of ``edge_lengths``."""
    down, across = counted.clone(), counted.clone()
    down[:, :-1] &= counted[:, 1:]
    across[:, :, :-1] &= counted[:, :, 1:]
    return torch.stack([down, across])


def _number(order: Indices, above: NDArray[np.int32], counted: Tensor) -> Forest:
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    # The joint above the roots has no place: a root is its own parent.
    over = np.where(above[order] == len(order), order, above[order]).astype(np.int64)
    parents = places[over]
    levels = [0, int((over == order).sum())]
    while levels[-1] < len(order):
        # Breadth first, parents stand in order: the next level ends where a parent is of this level.
        levels.append(int(np.searchsorted(parents, levels[-1])))
    is_across = (np.abs(over - order) == 1) & (counted.shape[2] > 1)
    edges = np.minimum(over, order) + is_across * len(order)
    nodes, back, up, by = (
        torch.from_numpy(index).to(counted.device) for index in (order, places, parents, edges)
    )
    return Forest(nodes, back, up, by, tuple(levels))


def tree_filter(values: Tensor, features: Tensor, counted: Tensor, scale: float = 1.0) -> Tensor:
    """Average over each pixel's image, weighted by the affinity along the path of its spanning tree.

    ``out_i = sum_j A_ij v_j / sum_j A_ij``; A_ij is the product of ``exp(-|f_k - f_l|^2 / scale)`` over the
    path's edges, 0 where one touches a pixel that does not count, and A_ii = 1. The gradient goes to the
    values and, through the affinities, to the features; the choice of the tree has none.

    >>> line = torch.tensor([[[[0.0, 0.0, 9.0]]]])
    >>> tree_filter(torch.tensor([[[[1.0, 3.0, 8.0]]]]), line, torch.ones(1, 1, 3) > 0).flatten().tolist()
    [2.0, 2.0, 8.0]

    Args:
        values: (batch, channels, height, width).
        features: (batch, any number, height, width).
        counted: bool (batch, height, width).
        scale: the affinity's sigma.

    Returns:
        (batch, channels, height, width).
    """
    lengths = edge_lengths(features)
    forest = spanning_forest(lengths, counted)
    affinities = (torch.exp(-lengths / scale) * joined(counted)).flatten()[forest.edges].to(values.dtype)
    affinities = affinities.index_fill(0, torch.arange(forest.levels[1], device=values.device), 0.0)
    with_count = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)
    rows = with_count.permute(0, 2, 3, 1).flatten(0, 2)[forest.nodes]
    sums: Tensor = _TreeSum.apply(rows, affinities, forest)
    means = (sums[:, :-1] / sums[:, -1:])[forest.places]
    batch, channels, height, width = values.shape
    return means.view(batch, height, width, channels).permute(0, 3, 1, 2)


class _TreeSum(torch.autograd.Function):
    """``sum_j A_ij v_j`` by one sweep to the roots and one back.

    With u the sums over the subtrees, ``y_i = (1 - w_i^2) u_i + w_i y_parent``. A is symmetric, so the
    gradient to v is the filtered gradient z; that to w_i is the product of what lies on its two sides,
    ``g_i . (y_parent - w_i u_i) + u_i . (z_parent - w_i g_i)``, g being the subtrees' sums of the gradient.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, affinities: Tensor, forest: Forest) -> Tensor:
        sums = _to_roots(values, affinities, forest)
        out = _from_roots(sums, affinities, forest)
        ctx.save_for_backward(affinities, sums, out)
        ctx.forest = forest
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        affinities, sums, out = ctx.saved_tensors
        forest = ctx.forest
        gradient_sums = _to_roots(gradient, affinities, forest)
        d_values = _from_roots(gradient_sums, affinities, forest)
        if not ctx.needs_input_grad[1]:
            return d_values, None, None
        weights = affinities[:, None]
        beyond = out[forest.parents] - weights * sums
        gradient_beyond = d_values[forest.parents] - weights * gradient_sums
        return d_values, (gradient_sums * beyond + sums * gradient_beyond).sum(dim=1), None


def _to_roots(values: Tensor, affinities: Tensor, forest: Forest) -> Tensor:
    """Add each subtree up at its top, deepest level first."""
    sums, weights = values.clone(), affinities[:, None]
    for start, end in reversed(list(pairwise(forest.levels[1:]))):
        sums.index_add_(0, forest.parents[start:end], weights[start:end] * sums[start:end])
    return sums


def _from_roots(sums: Tensor, affinities: Tensor, forest: Forest) -> Tensor:
    """Add to each subtree's sum what lies outside it, level by level."""
    weights = affinities[:, None]
    out = (1 - weights.square()) * sums
    for start, end in pairwise(forest.levels[1:]):
        out[start:end].addcmul_(weights[start:end], out[forest.parents[start:end]])
    return out
