"""Cutting an n x n matrix per image into tiles of whole rows, so that none is ever held at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

# Numbers in a tile. On the CPU a tile of float32 (2 MiB) stays in the caches; smaller ones make threads
# wait for each other more often. A GPU wants larger products (16 MiB), of all images at once.
_CPU_TILE = 2**19
_DEVICE_TILE = 2**22
# A product of a few rows only would be slow: from 8,192 columns on a tile grows with them.
_LEAST_ROWS = 64


def tiles(batch: int, rows: int, columns: int, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Cut ``batch`` matrices of ``rows`` x ``columns`` into (images, rows) slices of bounded size.

    A tile spans as many images as fit with all their rows, on a GPU the whole batch in any case; else it is
    part of one image.

    >>> [(i.start, r.start, r.stop) for i, r in tiles(2, 3481, 3481, torch.device("cpu"))][:2]
    [(0, 0, 150), (0, 150, 300)]
    """
    if device.type == "cpu":
        size, together = _CPU_TILE, max(1, min(batch, _CPU_TILE // (rows * columns)))
    else:
        size, together = _DEVICE_TILE, batch
    height = max(_LEAST_ROWS, size // (together * columns))
    for image in range(0, batch, together):
        for row in range(0, rows, height):
            yield slice(image, min(image + together, batch)), slice(row, min(row + height, rows))


def product(left: Tensor, right: Tensor) -> Tensor:
    """Multiply the matrices of a tile, (images, a, b) and (images, b, c).

    A single image's go through ``mm``: on the CPU ``bmm`` first copies transposed operands in bfloat16.
    """
    return torch.mm(left[0], right[0])[None] if len(left) == 1 else left @ right
