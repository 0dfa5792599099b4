"""The simplex that holds a point, its corners as integers, and the point's weights on them.

Adams, Baek and Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", Eurographics 2010.
Points of d dimensions are placed on the hyperplane of d + 1 coordinates that sum to zero. The lattice's
vertices there have integer coordinates, all with the same remainder k modulo d + 1; a simplex has one of each
k. With m_j = (coordinate_j - k) / (d + 1), a vertex is told from all others by the d differences
m_j - m_{j+1}: its digits. They are written as one integer, and since that integer is linear in the
coordinates, each step on the lattice is one constant:

- corner k + 1 of a simplex differs from corner k in one coordinate, whose m falls by one: ``-steps[j]``;
- the neighbour along axis j adds d to coordinate j and takes one from all others: ``+steps[j]``.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
from torch import Tensor

from scribblebench.core.errors import UserError

# Digits of a corner reach one beyond those of its point's nearest vertex, to both sides. One more slot of
# each digit stays empty, so that a neighbour one step outside meets no vertex of the next row.
_SLACK = 4


class Simplices(NamedTuple):
    """Corners of the simplex of each of n points.

    Attributes:
        codes: (n, d + 1) integers, one for each vertex of the lattice.
        weights: (n, d + 1), not negative, summing to 1.
        steps: what the neighbour along each of the d + 1 axes adds to a code.
    """

    codes: Tensor
    weights: Tensor
    steps: tuple[int, ...]


def simplices(features: Tensor) -> Simplices:
    """Find the corners and weights of every point.

    Args:
        features: (batch, n, d) floats. The number of the image leads each code.

    Returns:
        The corners of ``batch * n`` points.

    Raises:
        UserError: a feature is not finite, or their range has too many cells to number in 63 bits.
    """
    batch, _, dimensions = features.shape
    lifted = _lift(features.reshape(-1, dimensions).T)
    nearest, offset, rank = _nearest(lifted)
    weights = _weights(offset)
    digits = nearest[:-1] - nearest[1:]
    lows, spans = _box(digits)
    strides = list(itertools.accumulate(spans, lambda a, b: a * b, initial=1))
    if strides[-1] * batch > 2**63 - 1:
        box = " x ".join(map(str, spans))
        raise UserError(
            f"The features span {box} cells of the lattice in {batch} images, more than 63 bits can number: "
            "use larger bandwidths."
        )
    ends = [0, *strides[:-1], 0]
    steps = tuple(after - before for before, after in itertools.pairwise(ends))
    small = strides[-1] * batch < 2**31
    origin = sum(low * stride for low, stride in zip(lows, strides, strict=False))
    codes = _codes(nearest, rank, steps, torch.int32 if small else torch.int64)
    image = torch.arange(batch, dtype=codes.dtype, device=codes.device).mul_(strides[-1]).sub_(origin)
    codes.view(batch, -1).add_(image[:, None])
    return Simplices(codes, weights, steps)


def _lift(features: Tensor) -> Tensor:
    """Place points on the hyperplane, scaled so that the blur has a variance of one.

    Splat, blur and slice together have the variance 2 (d + 1)^2 / 3 of the coordinates, which is divided out.
    """
    dimensions, points = features.shape
    lifted = features.new_empty(dimensions + 1, points)
    total = features.new_zeros(points)
    for axis in range(dimensions, 0, -1):
        scaled = features[axis - 1] * (math.sqrt(2 / 3 / (axis * (axis + 1))) * (dimensions + 1))
        torch.sub(total, scaled * axis, out=lifted[axis])
        total += scaled
    lifted[0] = total
    return lifted


def _nearest(lifted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Round to the nearest vertex of remainder zero.

    Returns:
        m of that vertex, what is left of the coordinates in units of d + 1, and each coordinate's rank in
        what is left, 0 for the largest; all (d + 1, n).
    """
    axes = len(lifted)
    nearest = (lifted * (1 / axes)).round_()
    offset = lifted - nearest * axes
    # Pairs are compared instead of sorted: 15 comparisons of whole rows for 5-D points.
    first = torch.arange(axes, dtype=torch.int8, device=nearest.device)[:, None]
    rank = first + nearest.sum(dim=0).to(torch.int8)
    for i, j in itertools.combinations(range(axes), 2):
        behind = torch.lt(offset[i], offset[j]).view(torch.int8)  # as integers: adding bools makes copies
        rank[i] += behind
        rank[j] -= behind
    # Rounded coordinates need not sum to zero; the ranks, shifted by their sum, say which to mend.
    wrap = (rank < 0).to(torch.int8) - (rank >= axes).to(torch.int8)
    return nearest.add_(wrap), offset.mul_(1 / axes).sub_(wrap), rank.add_(wrap * axes)


def _weights(offset: Tensor) -> Tensor:
    """Barycentric weights (n, d + 1): differences of the sorted offsets."""
    rows = list(offset)
    for turn in range(len(rows)):  # odd-even transposition sort of whole rows, largest first
        for i in range(turn % 2, len(rows) - 1, 2):
            rows[i], rows[i + 1] = torch.maximum(rows[i], rows[i + 1]), torch.minimum(rows[i], rows[i + 1])
    weights = offset.new_empty(offset.shape[1], len(rows))
    weights[:, 0] = rows[-1] + 1 - rows[0]
    for corner in range(1, len(rows)):
        torch.sub(rows[-1 - corner], rows[-corner], out=weights[:, corner])
    return weights.clamp_(min=0)  # rounding may leave -1e-8


def _box(digits: Tensor) -> tuple[list[int], list[int]]:
    lows, highs = torch.stack(digits.aminmax(dim=1)).tolist()
    if not all(map(math.isfinite, lows + highs)):
        raise UserError("A feature of the lattice is not a finite number.")
    spans = [int(high - low) + _SLACK for low, high in zip(lows, highs, strict=True)]
    return [int(low) - 1 for low in lows], spans


def _codes(nearest: Tensor, rank: Tensor, steps: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    axes, points = nearest.shape
    sizes = torch.tensor(steps, dtype=dtype, device=nearest.device)
    codes = torch.empty(points, axes, dtype=dtype, device=nearest.device)
    code = nearest.new_zeros(points, dtype=dtype)
    for row, step in zip(nearest, steps, strict=True):
        code.add_(row.to(dtype), alpha=step)
    ranked = torch.empty_like(codes.T, memory_format=torch.contiguous_format)
    ranked.scatter_(0, rank.long(), sizes[:, None].expand(-1, points))
    codes[:, 0] = code
    for corner in range(1, axes):
        torch.sub(codes[:, corner - 1], ranked[axes - corner], out=codes[:, corner])
    return codes
