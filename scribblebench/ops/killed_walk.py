"""The killed random walk: which class's seed is hit first by a walk that may die on the way.

Vernaza and Chandraker 2017, as corrected in arXiv 1802.00470: a walk on the grid of 4 neighbours takes each
step from x to one of them, all equally likely, and survives it with probability ``exp(-B(x))``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu
from torch import Tensor
from torch.autograd.function import once_differentiable

Floats = NDArray[np.float64]
# No walk survives e^-500, and exp(500) is far from float64's end.
_WALL = 500.0
# Less than this has no digits left once gradients divide by it.
_NOTHING = 1e-140


def hits(boundary: Tensor, seeds: Tensor, counted: Tensor, classes: int) -> Tensor:
    """The probability that a walk from each cell survives until it hits a seed, and hits one of each class.

    The gradient goes to the boundary, through one more solve with the same factors.

    >>> seeds = torch.tensor([[[0, -1, -1, -1, 1]]])
    >>> hits(torch.zeros(1, 1, 5), seeds, seeds >= -1, 2)[0, 1, 0].tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]

    Args:
        boundary: B, at least 0, float (batch, h, w).
        seeds: the class of each seed, negative elsewhere, long (batch, h, w).
        counted: where a walk may go, bool (batch, h, w).
        classes: number of classes.

    Returns:
        float64 (batch, classes, h, w) on the device of ``boundary``.
    """
    found: Tensor = _Hits.apply(boundary.double().clamp(max=_WALL), seeds, counted, classes)
    return found


def given_survival(found: Tensor) -> Tensor:
    """The distribution of the class that a surviving walk hits: ``hits`` over its sum.

    Args:
        found: of ``hits``.

    Returns:
        float64 (batch, classes, h, w); 0 where no walk survives, as far as float64 can tell.
    """
    total = found.sum(dim=1, keepdim=True)
    reached = total > _NOTHING
    return torch.where(reached, found / torch.where(reached, total, 1.0), 0.0)


@dataclass(frozen=True)
class _Walk:
    """The factored system of one image: ``K z = a`` over the cells that are no seeds but lead to one.

    ``z(x) = exp(-B(x)) / |N(x)| * sum over x' in N(x) of z(x')``, times ``|N(x)| exp(B(x))``, is symmetric:
    K has that factor as its diagonal and -1 for every pair of neighbours.

    Attributes:
        cells: row-major indices of the system's cells.
        diagonal: of K.
        factors: of K.
        present: the classes of the seeds.
        arrivals: a: how many neighbours of each cell are seeds of each class, (cells, present).
    """

    cells: NDArray[np.int64]
    diagonal: Floats
    factors: SuperLU | None
    present: NDArray[np.int64]
    arrivals: Floats

    @classmethod
    def of(cls, boundary: Floats, seeds: NDArray[np.int64], counted: NDArray[np.bool_]) -> _Walk:
        joined = _neighbours(counted)
        is_seed = (counted & (seeds >= 0)).ravel()
        present, class_of = np.unique(seeds.ravel()[is_seed], return_inverse=True)
        _, region = connected_components(joined, directed=False)
        cells = np.flatnonzero(np.isin(region, region[is_seed]) & ~is_seed)
        rows = joined[cells]
        arrivals = np.asarray(rows[:, np.flatnonzero(is_seed)] @ np.eye(len(present))[class_of])
        diagonal: Floats = rows.sum(axis=1) * np.exp(boundary.ravel()[cells])
        factors = None
        if cells.size:
            system = csc_array(diags_array(diagonal) - rows[:, cells])
            # K is diagonally dominant with one sign beside the diagonal: without pivoting even the smallest
            # probabilities keep their digits, which a residual's norm would not see.
            factors = splu(
                system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
        return cls(cells, diagonal, factors, present, arrivals)

    def solve(self, right: Floats) -> Floats:
        """Solve K x = right, (cells, any)."""
        return right if self.factors is None else self.factors.solve(right)


def _neighbours(counted: NDArray[np.bool_]) -> csr_array[np.float64]:
    """Which cells of a grid are neighbours of which, (h * w, h * w) of 0 and 1."""
    numbers = np.arange(counted.size).reshape(counted.shape)
    pairs = []
    for one, other in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        both = counted[one] & counted[other]
        pairs.append((numbers[one][both], numbers[other][both]))
    starts, ends = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    there_and_back = np.concatenate([starts, ends]), np.concatenate([ends, starts])
    shape = (counted.size, counted.size)
    return csr_array(coo_array((np.ones(2 * len(starts)), there_and_back), shape=shape))


class _Hits(torch.autograd.Function):
    """The probability of surviving until a seed of each class is hit; solved on the CPU.

    With ``K lambda = g`` for the gradient g of z, that of B is ``-K_xx sum over classes of lambda z``.
    """

    @staticmethod
    def forward(ctx: Any, boundary: Tensor, seeds: Tensor, counted: Tensor, classes: int) -> Tensor:
        given = (boundary, torch.where(counted, seeds, -1), counted)
        reached = np.zeros((len(boundary), boundary[0].numel(), classes))
        ctx.walks = []
        for image, parts in zip(
            reached, zip(*(part.cpu().numpy() for part in given), strict=True), strict=True
        ):
            walk = _Walk.of(*parts)
            seeded = np.flatnonzero(parts[1] >= 0)
            image[seeded, parts[1].ravel()[seeded]] = 1
            found = walk.solve(walk.arrivals)
            image[np.ix_(walk.cells, walk.present)] = found
            ctx.walks.append((walk, found))
        shape = (*boundary.shape, classes)
        return torch.from_numpy(reached).view(shape).permute(0, 3, 1, 2).contiguous().to(boundary.device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        rows = gradient.permute(0, 2, 3, 1).flatten(1, 2).cpu().numpy()
        slopes = np.zeros(rows.shape[:2])
        for slope, image, (walk, found) in zip(slopes, rows, ctx.walks, strict=True):
            adjoint = walk.solve(image[np.ix_(walk.cells, walk.present)])
            slope[walk.cells] = -walk.diagonal * (adjoint * found).sum(axis=1)
        batch, _, height, width = gradient.shape
        return torch.from_numpy(slopes).view(batch, height, width).to(gradient.device), None, None, None
