"""Cutting an n x n matrix per image into tiles of whole rows, so that none is ever held at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch

# Numbers in a tile. On the CPU a tile of float32 (2 MiB) stays in the caches; smaller ones make threads
# wait for each other more often. Elsewhere a tile (64 MiB) is large enough to keep the device busy.
_CPU_TILE = 2**19
_DEVICE_TILE = 2**24


def tiles(batch: int, rows: int, columns: int, device: torch.device) -> Iterator[tuple[slice, slice]]:
    """Cut ``batch`` matrices of ``rows`` x ``columns`` into (images, rows) slices of bounded size.

    On the CPU a tile belongs to one image; elsewhere it spans the batch.

    >>> [(i.start, r.start, r.stop) for i, r in tiles(2, 3481, 3481, torch.device("cpu"))][:2]
    [(0, 0, 150), (0, 150, 300)]
    """
    on_cpu = device.type == "cpu"
    images = 1 if on_cpu else batch
    height = max(1, (_CPU_TILE if on_cpu else _DEVICE_TILE) // (images * columns))
    for image in range(0, batch, images):
        for row in range(0, rows, height):
            yield slice(image, image + images), slice(row, min(row + height, rows))
