"""Batches of augmented crops as the trainer takes them, of photographs or of noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from scribblebench.core.cards import Augmentation
from scribblebench.core.seeds import rng
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import decode, load_pictures

SIDE, CLASSES, IGNORE = 465, 21, 255
Bytes = NDArray[np.uint8]


def paths_of(folder: Path | None, count: int) -> list[Path]:
    """List photographs of a folder, searched to any depth; none where there is no folder."""
    return sorted(folder.rglob("*.jpg"))[:count] if folder else []


def photographs(paths: Sequence[Path], count: int) -> list[Bytes]:
    """Decode photographs; where there are none, make noise of a VOC image's size."""
    if paths:
        return [decode(path, "RGB") for path in paths]
    return [rng("benchmark", i).integers(0, 256, (375, 500, 3), dtype=np.uint8) for i in range(count)]


def labels_of(size: tuple[int, ...], index: int) -> Bytes:
    """Label three pixels in a hundred, as strokes do."""
    random = rng("labels", index)
    labels = random.integers(0, CLASSES, size, dtype=np.uint8)
    labels[random.random(size) > 0.03] = IGNORE
    return labels


def batches_of(decoded: Sequence[Bytes], size: int, device: torch.device, kept: torch.device) -> Batches:
    """Make batches.

    Args:
        decoded: photographs, (h, w, 3).
        size: images in a batch.
        device: where batches are wanted.
        kept: where the photographs lie.
    """
    sizes = [(image.shape[0], image.shape[1]) for image in decoded]
    labels = [labels_of(image, index) for index, image in enumerate(sizes)]
    return Batches(
        ids=[str(index) for index in range(len(sizes))],
        images=load_pictures(lambda index: decoded[index], sizes, 3).to(kept),
        labels=load_pictures(lambda index: labels[index], sizes, 1).to(kept),
        tags=torch.zeros(len(sizes), CLASSES, dtype=torch.bool),
        augmentation=Augmentation(),
        side=SIDE,
        size=size,
        seed=0,
        ignore_index=IGNORE,
        device=device,
    )
