"""How much a representation varies when the image is transformed (paper, Table 3 and Figure 5).

The measure is ``|T(f) - f'| / (|T(f)| + |f'|)``: f of the image, f' of the transformed image. The paper
leaves open what ``|.|`` runs over. Here numerator and denominator are sums of absolute values over the whole
of f, one ratio an image; for P, whose rows sum to 1, that is the mean total-variation distance of its rows.
The other reading, the mean of the ratios of single entries, stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.core.seeds import uniform
from scribblebench.nn.network import Network
from scribblebench.ops.step import Output
from scribblebench.ops.tiles import tiles
from scribblebench.ops.transforms import Choice, Transform, choose
from scribblebench.ops.walk import Energies
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.looks import looks, trained_network

# Raise it when equal networks and images would be measured otherwise than before.
RULE = 1

TRANSFORMS: tuple[Choice, ...] = ("flip", "translation")
# Share of the height that a translation takes out of view, as in training.
SHARE = 1 / 6


@dataclass(frozen=True)
class Variation:
    """How much one location varies under one transform, cell by cell of the transformed grid.

    Attributes:
        difference: sum of ``|T(f) - f'|`` over the channels of a cell (the columns of P), (height, width).
        total: sum of ``|T(f)| + |f'|``.
        ratios: sum of the ratios of single entries, those that are 0 in both left out.
        entries: how many entries are not 0 in both.
    """

    difference: Tensor
    total: Tensor
    ratios: Tensor
    entries: Tensor

    @property
    def overall(self) -> float:
        """The ratio of the sums, in [0, 1]."""
        return float(self.difference.sum() / self.total.sum().clamp(min=1e-30))

    @property
    def elementwise(self) -> float:
        """The mean ratio of an entry, in [0, 1]."""
        return float(self.ratios.sum() / self.entries.sum().clamp(min=1))

    @property
    def cells(self) -> Tensor:
        """The ratio of each cell, (height, width)."""
        return self.difference / self.total.clamp(min=1e-30)


def pick(name: Choice, image: str, height: int) -> Transform:
    """Return the transform of an image: the direction of its translation is drawn by the image's name."""
    return choose(name, height, SHARE, lambda draw: uniform("variation", image, draw))


@torch.no_grad()
def variation(
    network: Network, pixels: Tensor, transform: Transform, unit: int, original: Output | None = None
) -> dict[str, Variation]:
    """Compare a transformed representation with that of the transformed image.

    Args:
        network: in evaluation mode.
        pixels: a normalised image, (1, 3, k * unit + 1, l * unit + 1).
        transform: what is done to the image.
        unit: pixels per cell of the walk.
        original: what the network computes from ``pixels``, if that is known already.

    Returns:
        ``before``, ``after`` and ``eigenspace`` (P: select, then renormalise) -> variation.

    Raises:
        UserError: the network has no walk.
    """
    first = original or network(pixels, "after")
    other = network(transform(pixels, unit), "after")
    if first.energies is None or first.after is None:
        raise UserError("The variation of P needs a method with a walk, such as rw.")
    step = (first.before.shape[-2] - 1) // max(1, first.energies.height - 1)
    return {
        "before": _of_maps(transform(first.before, step), other.before),
        "after": _of_maps(transform(first.after, step), other.after),
        "eigenspace": _of_walks(first.energies, other.energies, transform),
    }


@torch.no_grad()
def varied(cell: Cell, places: Places) -> dict[str, tuple[int, dict[str, dict[str, float]]]]:
    """Measure the variation of a trained cell on its validation images.

    Returns:
        Transform -> number of images, and location -> column of the table -> mean over the images.

    Raises:
        UserError: the cell was not trained here, or its method has no walk.
    """
    network = trained_network(cell, places)
    found: dict[Choice, list[dict[str, Variation]]] = {name: [] for name in TRANSFORMS}
    for look in looks(cell, places, places.dataset.ids("val")):
        images = look.normalised
        output = network(images, "after")
        cells = (images.shape[-2] - 1) // look.unit + 1
        for name, kept in found.items():
            transform = pick(name, look.image, cells)
            kept.append(variation(network, images, transform, look.unit, output))
    return {name: (len(kept), means(kept)) for name, kept in found.items()}


def means(found: list[dict[str, Variation]]) -> dict[str, dict[str, float]]:
    """Average over images: location -> column of the table -> value."""
    return {
        location: {
            "variation": sum(one[location].overall for one in found) / len(found),
            "variation_elementwise": sum(one[location].elementwise for one in found) / len(found),
        }
        for location in found[0]
    }


def _of_maps(transformed: Tensor, other: Tensor) -> Variation:
    """Compare maps, (1, channels, height, width) each."""
    return _summed(*(_sums(transformed[0].flatten(1).T, other[0].flatten(1).T)), shape=other.shape[-2:])


def _of_walks(energies: Energies, other: Energies, transform: Transform) -> Variation:
    """Compare transition matrices some rows at a time."""
    kept = transform.cells(energies.height, energies.width, energies.queries.device)
    queries, keys = energies.queries[0, kept], energies.keys[0, kept]
    cells = len(kept)
    blocks = [
        _sums(
            (queries[rows] @ keys.T).softmax(dim=1),
            (other.queries[0, rows] @ other.keys[0].T).softmax(dim=1),
        )
        for _, rows in tiles(1, cells, cells, queries.device)
    ]
    return _summed(*(torch.cat(parts) for parts in zip(*blocks, strict=True)), shape=(other.height, -1))


def _sums(transformed: Tensor, other: Tensor) -> tuple[Tensor, ...]:
    """Sum over the entries of each row, (rows, entries) each."""
    difference, total = (transformed - other).abs(), transformed.abs() + other.abs()
    present = total > 0
    ratios = torch.where(present, difference / total.clamp(min=1e-38), 0.0)
    return difference.sum(dim=1), total.sum(dim=1), ratios.sum(dim=1), present.sum(dim=1)


def _summed(*rows: Tensor, shape: tuple[int, ...] | torch.Size) -> Variation:
    return Variation(*(row.reshape(*shape) for row in rows))
