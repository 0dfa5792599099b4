"""What a walk looks like in three numbers: whether P has degenerated, and which way."""

from __future__ import annotations

import math

import torch

from scribblebench.ops.tiles import tiles
from scribblebench.ops.walk import Energies


@torch.no_grad()
def diagnose(energies: Energies) -> dict[str, float]:
    """Measure a batch of transition matrices, in tiles: memory linear in the number of cells.

    Waits for the device, so ask once an epoch, not once a step.

    Returns:
        ``diagonal``: mean diagonal of P times n: 1 where every cell goes anywhere, n where every cell stays.
        ``row_entropy``: mean entropy of a row over log n: 1 is global pooling, near 0 every cell has one
        destination.
        ``column_share``: see there.

    >>> stay = 100 * torch.eye(6)[None]
    >>> found = diagnose(Energies(stay, stay, 2, 3))
    >>> {name: round(value, 6) for name, value in found.items()}
    {'diagonal': 6.0, 'row_entropy': 0.0, 'column_share': 0.0}
    """
    queries, keys = energies.queries.float(), energies.keys.float()
    batch, cells, _ = queries.shape
    diagonal, entropy = queries.new_zeros(()), queries.new_zeros(())
    with torch.autocast(queries.device.type, enabled=False):
        for images, part in tiles(batch, cells, cells, queries.device):
            rows = torch.softmax(queries[images, part] @ keys[images].mT, dim=-1)
            diagonal += rows.diagonal(part.start, dim1=1, dim2=2).sum()
            entropy += torch.special.entr(rows).sum()
    return {
        "diagonal": diagonal.item() / batch,
        "row_entropy": entropy.item() / (batch * cells * math.log(cells)),
        "column_share": column_share(energies),
    }


@torch.no_grad()
def column_share(energies: Energies) -> float:
    """Share of the row-centred variance of E that is the same for every row, as the mean of a batch.

    Softmax sees ``E_ij - mean_j E_ij``. Where most of that is a number of the column, all cells walk to the
    same few, whatever they show. From the factors alone: E is not made. 0 where E does not vary in a row.

    >>> hub = Energies(torch.ones(1, 3, 1), torch.tensor([[[0.0], [0.0], [9.0]]]), 1, 3)
    >>> column_share(hub)
    1.0
    """
    queries, keys = energies.queries.double(), energies.keys.double()
    keys = keys - keys.mean(dim=1, keepdim=True)
    with torch.autocast(queries.device.type, enabled=False):
        spread = keys.mT @ keys
        total = ((queries.mT @ queries) * spread).sum(dim=(1, 2))
        mean = queries.mean(dim=1, keepdim=True)
        columns = queries.shape[1] * (mean @ spread @ mean.mT).flatten()
    share = torch.where(total > 0, columns / total.clamp(min=1e-300), 0.0)
    return share.clamp(0, 1).mean().item()
