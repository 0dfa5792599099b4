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

Indices = NDArray[np.int64]
# Longer than any edge between pixels that count: padding hangs on the tree without being on a path.
FAR = 1e12


@dataclass(frozen=True)
class Forest:
    """One rooted tree an image, its nodes numbered level by level, so that a level is a slice.

    Attributes:
        nodes: the pixel of each node, a row of the batch's pixels in row-major order, long (n,).
        parents: the node above each node, long (n,); a root is its own.
        levels: where each level starts, and the end; the first level holds the roots.
        places: the node of each pixel, long (n,); the inverse of ``nodes``.
    """

    nodes: Tensor
    parents: Tensor
    levels: tuple[int, ...]
    places: Tensor


def spanning_forest(features: Tensor, counted: Tensor) -> Forest:
    """Make each image's minimum spanning tree on its grid of 4 neighbours.

    The length of an edge is the squared distance of its ends' features; an edge that touches a pixel that
    does not count is longer than all others. The trees are found on the CPU, wherever the features lie.

    Args:
        features: (batch, channels, height, width).
        counted: bool (batch, height, width).
    """
    batch, _, height, width = features.shape
    pixels = np.arange(batch * height * width).reshape(batch, height, width)
    ends, lengths = zip(*(_edges(features, counted, pixels, axis) for axis in (1, 2)), strict=True)
    # One more node joins the roots, the images' middles, so that scipy sees one tree.
    roots = pixels[:, height // 2, width // 2]
    first, second = np.hstack([*ends, np.stack([roots, np.full_like(roots, pixels.size)])])
    # Zero would be no edge to scipy.
    weights = 1 + np.concatenate([*lengths, np.zeros(len(roots))])
    graph = coo_array((weights, (first, second)), shape=(pixels.size + 1, pixels.size + 1))
    order, above = breadth_first_order(minimum_spanning_tree(graph.tocsr()), pixels.size, directed=False)
    return _number(order[1:].astype(np.int64), above, features.device)


def _edges(
    features: Tensor, counted: Tensor, pixels: Indices, axis: int
) -> tuple[Indices, NDArray[np.float64]]:
    side = pixels.shape[axis]
    near, far = ((slice(None),) * axis + (part,) for part in (slice(0, side - 1), slice(1, side)))
    values = features.detach().movedim(1, -1).double()
    lengths = (values[near] - values[far]).square().sum(dim=-1)
    lengths = torch.where(counted[near] & counted[far], lengths, FAR)
    return np.stack([pixels[near].ravel(), pixels[far].ravel()]), lengths.flatten().cpu().numpy()


def _number(order: Indices, above: NDArray[np.int32], device: torch.device) -> Forest:
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    # The joint above the roots has no place: a root is its own parent.
    is_root = above[order] == len(order)
    parents = places[np.where(is_root, order, above[order])]
    levels = [0, int(is_root.sum())]
    while levels[-1] < len(order):
        # Breadth first, parents stand in order: the next level ends where a parent is of this level.
        levels.append(int(np.searchsorted(parents, levels[-1])))
    nodes, up, back = (torch.from_numpy(index).to(device) for index in (order, parents, places))
    return Forest(nodes, up, tuple(levels), back)


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
    forest = spanning_forest(features, counted)
    rows = _rows(values)[forest.nodes]
    affinities = _affinities(forest, _rows(features), counted.flatten(), scale).to(rows.dtype)
    sums: Tensor = _TreeSum.apply(torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1), affinities, forest)
    means = (sums[:, :-1] / sums[:, -1:])[forest.places]
    batch, channels, height, width = values.shape
    return means.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _rows(maps: Tensor) -> Tensor:
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def _affinities(forest: Forest, features: Tensor, counted: Tensor, scale: float) -> Tensor:
    """Of each node with its parent, (n,); 0 for a root."""
    above = forest.nodes[forest.parents]
    distance = (features[forest.nodes] - features[above]).square().sum(dim=1)
    joined = counted[forest.nodes] & counted[above]
    joined[: forest.levels[1]] = False
    return torch.exp(-distance / scale) * joined


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
