"""What a walk's P knows of classes, asked of masks: for measurements, never for training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from scribblebench.ops.cells import around_cells
from scribblebench.ops.tiles import tiles
from scribblebench.ops.walk import Energies

# Energy of two cells of one class in the oracle's walk: a row keeps e^-40 for the others.
_ALL_BUT_CERTAIN = 40.0


class Affinity(NamedTuple):
    """Sums over rows, so that those of several images add up.

    Attributes:
        rows: labelled cells that have labelled cells of their own class and of others beside them.
        auc: sum over these of the chance that of two other cells, one of the row's class and one not, the
            walk prefers the first; a tie is half.
        mass: sum of the share of a row's steps to other labelled cells that end in its own class.
        base: sum of the share of those cells that are of its class: the mass of a uniform P.
    """

    rows: float = 0.0
    auc: float = 0.0
    mass: float = 0.0
    base: float = 0.0

    def plus(self, other: Affinity) -> Affinity:
        """Add the sums of another image."""
        return Affinity(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def mean_auc(self) -> float | None:
        """Mean over rows: 0.5 tells nothing of classes, 1 all; None without a row."""
        return self.auc / self.rows if self.rows else None

    @property
    def lift(self) -> float | None:
        """How many times as often as a uniform step a step ends in its own class; None without a row."""
        return self.mass / self.base if self.rows else None


@torch.no_grad()
def affinity(energies: Energies, labels: Tensor, ignore_index: int) -> Affinity:
    """Ask of one image's P whether it goes where the class is the same.

    A cell itself and cells without a label do not count as destinations, and P is renormalised over the
    others. In tiles: memory is linear in the number of cells.

    >>> queries = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]])
    >>> found = affinity(Energies(9 * queries, queries, 2, 2), torch.tensor([3, 3, 7, 7]), 255)
    >>> found.mean_auc, round(found.lift, 3)
    (1.0, 2.999)

    Args:
        energies: of a batch of one.
        labels: class of each cell, long (n,).
        ignore_index: the label of cells that have no class.
    """
    kept = labels != ignore_index
    queries, keys, labels = energies.queries[0, kept], energies.keys[0, kept], labels[kept]
    found, cells = Affinity(), len(labels)
    for _, rows in tiles(1, cells, cells, labels.device) if cells else ():
        same = labels[rows, None] == labels
        block = queries[rows] @ keys.T
        for square, nothing in ((same, False), (block, -torch.inf)):
            square.diagonal(rows.start).fill_(nothing)
        found = found.plus(_of_rows(block, same))
    return found


def _of_rows(energies: Tensor, same: Tensor) -> Affinity:
    """Sum over rows whose own cell has the energy -inf, and so the first rank."""
    like = same.sum(dim=1)
    unlike = same.shape[1] - 1 - like
    both = (like > 0) & (unlike > 0)
    energies, same, like, unlike = energies[both], same[both], like[both].double(), unlike[both].double()
    order = energies.sort(dim=1).values
    first, behind = (torch.searchsorted(order, energies, right=side) for side in (False, True))
    ranks = (first + behind - 1).double() / 2  # of equal energies the mean; the cell itself left out
    wins = (ranks * same).sum(dim=1) - like * (like + 1) / 2
    mass = (torch.softmax(energies, dim=1) * same).sum()
    sums = (wins / (like * unlike)).sum(), mass, (like / (like + unlike)).sum()
    return Affinity(float(both.sum()), *(float(value) for value in sums))


def label_of_cells(mask: Tensor, height: int, width: int, classes: int, ignore_index: int) -> Tensor:
    """The class of most pixels of the square around each cell (see ``around_cells``).

    Args:
        mask: dense labels, long (pixel rows, pixel columns), of sides ``k * stride + 1``.
        height: rows of the grid.
        width: columns of the grid.
        classes: number of classes; of equal counts the lower class.
        ignore_index: label of pixels that have none, and of cells without a labelled pixel.

    Returns:
        long (height * width,).
    """
    marks = one_hot(torch.where(mask == ignore_index, classes, mask), classes + 1)[..., :classes]
    most, winner = around_cells(marks.permute(2, 0, 1)[None].float(), height, width)[0].max(dim=0)
    return torch.where(most > 0, winner, ignore_index).flatten()


def oracle(labels: Tensor, height: int, classes: int) -> Energies:
    """Make the walk that goes to any cell of the same class alike: no method can have it.

    Args:
        labels: class of each cell, long (n,); a cell of no class goes anywhere.
        height: rows of the grid.
        classes: number of classes; what is not below it is no class.
    """
    marks = one_hot(labels.clamp(max=classes), classes + 1)[None, :, :classes].float()
    return Energies(_ALL_BUT_CERTAIN * marks, marks, height, len(labels) // height)
