"""What a walk looks like in two numbers: whether P has degenerated, and which way."""

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

    >>> stay = 100 * torch.eye(6)[None]
    >>> diagnose(Energies(stay, stay, 2, 3))
    {'diagonal': 6.0, 'row_entropy': 0.0}
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
    }
