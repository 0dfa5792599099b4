"""The random walk as it is handed about: queries and keys, never an n x n matrix nobody asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from scribblebench.ops.tiles import product, tiles

# Energies are kept in base 2 inside: torch's exp2 takes a fifth of exp's time on the CPU, and unlike exp it
# does not slow down where the result underflows, as most of a sharp row does.
LOG2_E = math.log2(math.e)


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


def diffuse(energies: Energies, values: Tensor) -> Tensor:
    """One step of the walk, ``P V``, forward and backward without ever holding P.

    P is made a few hundred rows at a time and made again for the gradient; memory is linear in the number
    of cells. P itself is float32 (float64 where the factors are); its products with values or their
    gradients run in the type of ``values``, as in fused attention, and autocast changes neither.

    >>> zero = torch.zeros(1, 4, 1)
    >>> diffuse(Energies(zero, zero, 2, 2), torch.tensor([[[0.0], [2.0], [4.0], [6.0]]])).flatten().tolist()
    [3.0, 3.0, 3.0, 3.0]

    Args:
        energies: of n cells.
        values: (batch, n, channels).

    Returns:
        (batch, n, channels), of the type of ``values``.
    """
    if torch.compiler.is_exporting():  # how many rows are made at a time would be fixed in the graph
        return energies.matrix() @ values
    result: Tensor = _Diffusion.apply(energies.queries, energies.keys, values)
    return result


def _tiles(queries: Tensor) -> Iterator[tuple[slice, slice]]:
    batch, cells, _ = queries.shape
    return tiles(batch, cells, cells, queries.device)


class _Diffusion(torch.autograd.Function):
    """``softmax(Q K^T) V`` in row blocks.

    With O = P V and the gradient G of O: dV = P^T G, and dE = P * (S - rowsum(P * S)) with S = G V^T. A
    constant added to a row of S changes nothing. So in bfloat16, where the difference of two large rounded
    numbers would make up much of dE, V is taken without its mean over cells; and the row sum is that of S
    itself, not of G * O, which is rounded otherwise.
    """

    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        out = torch.empty_like(values)
        log_sums = queries.new_empty(*queries.shape[:2], 1)
        scaled = queries * LOG2_E
        with torch.autocast(queries.device.type, enabled=False):
            for images, rows in _tiles(queries):
                block = scaled[images, rows] @ keys[images].mT
                peak = block.amax(dim=-1, keepdim=True)
                block.sub_(peak).exp2_()
                sums = block.sum(dim=-1, keepdim=True)
                log_sums[images, rows] = peak + sums.log2()
                out[images, rows] = product(block.div_(sums).to(values.dtype), values[images])
        ctx.save_for_backward(queries, keys, values, log_sums)
        ctx.symmetric = queries is keys
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        queries, keys, values, log_sums = ctx.saved_tensors
        scaled = queries * LOG2_E
        centred = values if values.dtype == queries.dtype else _centred(values)
        d_queries, d_values = torch.zeros_like(queries), torch.zeros_like(values, dtype=queries.dtype)
        # The inner product's two factors are one tensor, and so is their gradient.
        d_keys = d_queries if ctx.symmetric else torch.zeros_like(keys)
        with torch.autocast(queries.device.type, enabled=False):
            for images, rows in _tiles(queries):
                tile = (images, rows)
                grad = gradient[tile]
                block = torch.baddbmm(log_sums[tile], scaled[tile], keys[images].mT, beta=-1)
                _accumulate(d_values[images], block.exp2_().to(values.dtype).mT, grad)
                slope = product(grad, centred[images].mT).to(queries.dtype).mul_(block)
                block = slope.addcmul_(block, slope.sum(dim=-1, keepdim=True), value=-1)
                d_queries[tile].baddbmm_(block, keys[images])
                d_keys[images].baddbmm_(block.mT, queries[tile])
        return d_queries, None if ctx.symmetric else d_keys, d_values.to(values.dtype)


def _centred(values: Tensor) -> Tensor:
    return values - values.mean(dim=1, keepdim=True, dtype=torch.float32).to(values.dtype)


def _accumulate(total: Tensor, left: Tensor, right: Tensor) -> None:
    if total.dtype == left.dtype:
        total.baddbmm_(left, right)
    else:
        total.add_(product(left, right))
