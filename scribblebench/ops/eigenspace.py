"""Comparing two transition matrices row by row without holding either (paper, Eq. 8).

Both are given by factors, ``P = softmax(Q K^T)``. The divergence of a row needs the two rows only, and its
gradient with respect to the energies of the first is ``P1 - P2``; so both directions go through the matrices
in tiles of rows, recompute them from the factors, and keep one number per row between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from scribblebench.ops.tiles import tiles
from scribblebench.ops.transforms import Transform
from scribblebench.ops.walk import LOG2_E, Energies

# The energy of a column out of view. Finite, so that a row with no column in view has no NaN to hide.
_OUT_OF_VIEW = -1e30


class Comparison(NamedTuple):
    """What two transition matrices over the same m cells have to do with each other, each (batch, m).

    Attributes:
        divergence: KL(target row || row) in nats, with gradient to the first matrix only.
        diagonal: diagonal of the first matrix, with gradient; its sum is the trace.
        target_diagonal: diagonal of the target, without gradient.
        in_view: which cells count; the others are 0 in the three above.
    """

    divergence: Tensor
    diagonal: Tensor
    target_diagonal: Tensor
    in_view: Tensor


def compare(
    energies: Energies, target: Energies, transform: Transform, in_view: Tensor | None = None
) -> Comparison:
    """Compare ``T(P)`` of an image with the ``P`` of the transformed image.

    The transform and ``in_view`` select rows and columns of the energies; the softmax comes after, so that
    both matrices are stochastic over the cells in view. The target receives no gradient.

    Args:
        energies: of the original image.
        target: of the transformed image, on the transformed grid.
        transform: what was done to the image.
        in_view: cells of the original grid that count, bool (batch, height, width); all if absent.
    """
    cells = transform.cells(energies.height, energies.width, energies.queries.device)
    queries, keys = (factor.index_select(1, cells) for factor in (energies.queries, energies.keys))
    target_queries, target_keys = target.queries, target.keys
    if target_queries.shape[1] != len(cells):
        raise ValueError(
            f"the target has {target_queries.shape[1]} cells where the transform keeps {len(cells)}"
        )
    if in_view is None:
        shown = torch.ones(queries.shape[:2], dtype=torch.bool, device=queries.device)
    else:
        shown = in_view.flatten(1).index_select(1, cells)
        queries, keys = _hide(queries, keys, shown)
        target_queries, target_keys = _hide(target_queries, target_keys, shown)
    rows = compare_rows(queries, keys, target_queries, target_keys)
    divergence, diagonal, target_diagonal = (torch.where(shown, row, 0.0) for row in rows)
    return Comparison(divergence, diagonal, target_diagonal, shown)


def _hide(queries: Tensor, keys: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """Give the columns out of view an energy of minus infinity, by one more coordinate of the factors."""
    one = queries.new_ones(()).expand(*queries.shape[:2], 1)
    bias = torch.where(shown, 0.0, _OUT_OF_VIEW).to(keys.dtype)[..., None]
    return torch.cat([queries, one], dim=-1), torch.cat([keys, bias], dim=-1)


def compare_rows(
    queries: Tensor, keys: Tensor, target_queries: Tensor, target_keys: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Compare ``softmax(Q K^T)`` with its target, row by row, in memory linear in the number of rows.

    Computes in float32 or float64 whatever autocast says: unscaled energies do not survive bfloat16.

    Args:
        queries: (batch, m, width).
        keys: (batch, m, width).
        target_queries: (batch, m, its width), without gradient.
        target_keys: (batch, m, its width), without gradient.

    Returns:
        KL(target row || row), the diagonal and the target's diagonal, each (batch, m).
    """
    factors = (queries, keys, target_queries, target_keys)
    dtype = torch.promote_types(queries.dtype, torch.float32)
    rows: tuple[Tensor, Tensor, Tensor] = _CompareRows.apply(*(factor.to(dtype) for factor in factors))
    return rows


class _CompareRows(torch.autograd.Function):
    # Energies are in base 2 inside (see LOG2_E).

    @staticmethod
    def forward(ctx: Any, *factors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, target_queries, target_keys = _in_base_2(factors)
        divergence, log_sum, target_log_sum = (queries.new_empty(queries.shape[:2]) for _ in range(3))
        with torch.autocast(queries.device.type, enabled=False):
            for tile, images in _tiles(queries):
                energies, peak = _below_peak(queries[tile] @ keys[images].mT)
                target, target_peak = _below_peak(target_queries[tile] @ target_keys[images].mT)
                difference = target - energies
                log_total, target_total = energies.exp2_().sum(-1).log2_(), target.exp2_().sum(-1)
                expected = difference.mul_(target).sum(-1) / target_total
                divergence[tile] = expected + log_total - target_total.log2_()
                log_sum[tile], target_log_sum[tile] = peak + log_total, target_peak + target_total
        diagonal = ((queries * keys).sum(-1) - log_sum).exp2_()
        target_diagonal = ((target_queries * target_keys).sum(-1) - target_log_sum).exp2_()
        ctx.save_for_backward(*factors, log_sum, target_log_sum, diagonal)
        ctx.mark_non_differentiable(target_diagonal)
        return divergence.mul_(math.log(2)), diagonal, target_diagonal

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None, None]:
        *factors, log_sum, target_log_sum, diagonal = ctx.saved_tensors
        queries, keys, *_ = factors
        rows, _, target_rows, target_keys = _in_base_2(factors)
        # dE = (g - h d) P1 - g P2 + diag(h d), where g and h are the gradients of divergence and diagonal d.
        of_target, on_diagonal = upstream[0], upstream[1] * diagonal
        of_rows = of_target - on_diagonal
        queries_grad, keys_grad = on_diagonal[..., None] * keys, on_diagonal[..., None] * queries
        with torch.autocast(queries.device.type, enabled=False):
            for tile, images in _tiles(queries):
                gradient = _probabilities(rows[tile], keys[images], log_sum[tile], of_rows[tile])
                gradient -= _probabilities(
                    target_rows[tile], target_keys[images], target_log_sum[tile], of_target[tile]
                )
                queries_grad[tile].baddbmm_(gradient, keys[images])
                keys_grad[images].baddbmm_(gradient.mT, queries[tile])
        return queries_grad, keys_grad, None, None


def _in_base_2(factors: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    queries, keys, target_queries, target_keys = factors
    return queries * LOG2_E, keys, target_queries * LOG2_E, target_keys


def _tiles(queries: Tensor) -> Iterator[tuple[tuple[slice, slice], slice]]:
    batch, rows, _ = queries.shape
    return (((images, part), images) for images, part in tiles(batch, rows, rows, queries.device))


def _below_peak(energies: Tensor) -> tuple[Tensor, Tensor]:
    peak = energies.amax(-1)
    return energies.sub_(peak[..., None]), peak


def _probabilities(queries: Tensor, keys: Tensor, log_sum: Tensor, scale: Tensor) -> Tensor:
    return (queries @ keys.mT).sub_(log_sum[..., None]).exp2_().mul_(scale[..., None])
