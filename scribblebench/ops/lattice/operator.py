"""Splat, blur and slice: the lattice as a linear operator with an exact adjoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.ops.lattice.bags import Bags, every, rows_of
from scribblebench.ops.lattice.numbering import number
from scribblebench.ops.lattice.simplex import simplices


@dataclass(frozen=True)
class Lattice:
    """A Gaussian filter of n points, ``after * (slice blur splat) * before``.

    It is not symmetric: the axes are blurred in turn, and what is blurred onto an absent vertex is lost.

    Attributes:
        vertex: (n, d + 1), the vertices at the corners of each point's simplex.
        weights: (n, d + 1), the point's weights on them.
        members: the points at each vertex in turn, and their weights on it, (n * (d + 1),).
        starts: where each vertex begins in ``members``; their end last, for one vertex of zeros.
        blurs: one matrix an axis, each symmetric.
        before, after: a factor for each point, or None.
    """

    vertex: Tensor
    weights: Tensor
    members: tuple[Tensor, Tensor]
    starts: Tensor
    blurs: tuple[Bags, ...]
    before: Tensor | None = None
    after: Tensor | None = None

    def __call__(self, values: Tensor) -> Tensor:
        """Filter values; differentiable in them.

        Args:
            values: (n, channels), or (batch, points, channels) with ``batch * points = n``.

        Returns:
            A tensor like ``values``.
        """
        flat = values.reshape(-1, values.shape[-1]).to(self.weights.dtype)
        if len(flat) != len(self.weights):
            raise ValueError(f"{len(flat)} values for a lattice of {len(self.weights)} points")
        result: Tensor = _Filter.apply(flat, self)
        return result.view(values.shape).to(values.dtype)

    @property
    def transposed(self) -> Lattice:
        """The adjoint: the axes in reverse, the factors exchanged."""
        return replace(self, blurs=self.blurs[::-1], before=self.after, after=self.before)

    def scaled(self, before: Tensor, after: Tensor) -> Lattice:
        """Fold factors of each point, (n,), into the operator's weights."""
        return replace(self, before=before, after=after)

    @cached_property
    def splat(self) -> Bags:
        """From points to vertices."""
        points, weights = self.members
        factor = 1 if self.before is None else self.before.index_select(0, points)
        return Bags(points, self.starts, weights * factor)

    @cached_property
    def slice(self) -> Bags:
        """From vertices to points; with the factor that lets a point at a vertex answer itself with one."""
        weights = self.weights / (1 + 0.5 ** (self.weights.shape[1] - 1))
        weights = weights if self.after is None else weights.mul_(self.after[:, None])
        return rows_of(self.vertex, weights)

    def at_vertices(self, values: Tensor) -> Tensor:
        """Splat and blur (n, channels), without gradient."""
        values = self.splat(values.contiguous())
        for blur in self.blurs:
            values = blur(values)
        return values


class _Filter(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, lattice: Lattice) -> Tensor:
        ctx.lattice = lattice
        return lattice.slice(lattice.at_vertices(values))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        result: Tensor = _Filter.apply(gradient, ctx.lattice.transposed)
        return result, None


def build(features: Tensor) -> Lattice:
    """Make the filter of a set of points: a Gaussian of standard deviation 1 in feature space.

    Built in the features' type, on their device, and deterministic on both kinds.

    Args:
        features: (n, d), or (batch, n, d): images that do not see each other, in one lattice.

    Raises:
        UserError: there is no point, a feature is not finite, or their range has too many cells to number in
            63 bits.
    """
    if features.numel() == 0:
        raise UserError(f"A lattice needs points, not features of shape {tuple(features.shape)}.")
    with torch.no_grad():
        codes, weights, steps = simplices(features if features.ndim == 3 else features[None])
        vertices = number(codes.view(-1))
        blurs = tuple(_blur(vertices.codes, step, weights) for step in steps)
        starts = torch.cat([vertices.starts, vertices.starts.new_tensor([codes.numel()])])
        # Row of a position in row-major order; float64 divides several times faster than integers do.
        points = vertices.order.double().add_(0.5).div_(codes.shape[1]).int()
        members = points, weights.view(-1).index_select(0, vertices.order)
    return Lattice(vertices.number.view_as(codes), weights, members, starts, blurs)


def _blur(vertices: Tensor, step: int, like: Tensor) -> Bags:
    """``new = old + (one neighbour + other neighbour) / 2`` along one axis."""
    absent = len(vertices)
    wanted = vertices + step
    place = torch.searchsorted(vertices, wanted, out_int32=True).clamp_(max=absent - 1)
    here = (vertices.index_select(0, place) == wanted).nonzero().view(-1)
    there = place.index_select(0, here)
    trio = torch.full((absent, 3), absent, dtype=torch.int32, device=vertices.device)
    trio[:, 0] = torch.arange(absent, device=vertices.device)
    trio[here, 1] = there
    trio[there.long(), 2] = here.int()
    weights = like.new_tensor([1.0, 0.5, 0.5]).repeat(absent)
    # One empty row more: the vertex of zeros that stands for absent neighbours.
    return Bags(trio.view(-1), every(3, absent + 1, trio), weights)
