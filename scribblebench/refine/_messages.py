"""The messages of mean field: normalised filters of the same pixels, and their sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from scribblebench.ops import lattice
from scribblebench.ops.lattice import Lattice
from scribblebench.ops.lattice.bags import Bags, rows_of
from scribblebench.ops.lattice.numbering import number


class Spread(NamedTuple):
    """A filter in two halves.

    Attributes:
        table: from (n, classes) to rows that pixels share, such as vertices.
        rows: how many.
        indices: (n, k), which of the rows each pixel reads.
        weights: (n, k), how much of them.
    """

    table: Callable[[Tensor], Tensor]
    rows: int
    indices: Tensor
    weights: Tensor


def together(spreads: Sequence[Spread]) -> Callable[[Tensor], Tensor]:
    """Sum filters; the last half of all of them is one pass over the pixels."""
    indices, before = [], 0
    for spread in spreads:
        indices.append(spread.indices + before)
        before += spread.rows
    read = rows_of(torch.cat(indices, dim=1), torch.cat([spread.weights for spread in spreads], dim=1))
    return lambda values: read(torch.cat([spread.table(values) for spread in spreads]))


def by_pixel(features: Tensor, weight: float) -> Spread:
    """Filter pixels by their features (n, d): ``weight * D^-1/2 K D^-1/2``, where D = K 1."""
    made = _normalised(lattice.build(features), features.new_ones(len(features), 1))
    return Spread(
        made.at_vertices, len(made.starts), made.vertex, made.slice.weights.view_as(made.weights) * weight
    )


def by_group(features: Tensor, weight: float, codes: Tensor) -> Spread:
    """Filter groups of pixels, those of one code (n,), by the mean of their features."""
    groups = number(codes)
    pixels = groups.order.int()
    collect = Bags(pixels, groups.starts, features.new_ones(len(features)))
    sizes = collect(features.new_ones(len(features), 1))
    made = _normalised(lattice.build(collect(features) / sizes), sizes)

    def table(values: Tensor) -> Tensor:
        return made.slice(made.at_vertices(collect(values)))

    weights = torch.full_like(groups.number[:, None], weight, dtype=features.dtype)
    return Spread(table, len(sizes), groups.number[:, None], weights)


def _normalised(made: Lattice, mass: Tensor) -> Lattice:
    factors = made(mass).view(-1).rsqrt()
    return made.scaled(factors, factors)
