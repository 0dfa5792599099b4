"""Augmented training batches, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from scribblebench.core.cards import Augmentation
from scribblebench.core.errors import UserError
from scribblebench.core.seeds import rng
from scribblebench.loading.ahead import ahead
from scribblebench.loading.augment import Batch, draw, source_windows, warp
from scribblebench.loading.images import Pictures, stacked
from scribblebench.loading.resample import reach
from scribblebench.loading.transfer import send


def require_batch(images: int, size: int) -> None:
    """Look whether a training split fills a batch.

    Raises:
        UserError: it does not.
    """
    if lacking := batch_not_filled(images, size):
        raise UserError(lacking)


def batch_not_filled(images: int, size: int) -> str:
    """Return what is to be said of a training split that does not fill a batch; empty where it does.

    >>> batch_not_filled(8, 8)
    ''
    """
    if images >= size:
        return ""
    return (
        f"The training split has {images} images, fewer than one batch of {size}. "
        f"Give --set batch={max(images, 1)} or more images."
    )


@dataclass(frozen=True)
class Batches:
    """The training split.

    Attributes:
        ids: image ids, in the order of the pictures.
        images: the photographs.
        labels: the label maps, of the same sizes.
        tags: the classes that each image is said to hold, bool (images, classes), on the CPU.
        augmentation: its ranges.
        side: side of a crop in pixels.
        size: images in a batch.
        seed: the training seed.
        ignore_index: label of padding.
        device: where the batches are wanted; the pictures may lie elsewhere.
        told: the label maps that the method is told, where a stage's ``labels`` are others; or None.
    """

    ids: Sequence[str]
    images: Pictures
    labels: Pictures
    tags: Tensor
    augmentation: Augmentation
    side: int
    size: int
    seed: int
    ignore_index: int
    device: torch.device
    told: Pictures | None = None

    def __post_init__(self) -> None:
        require_batch(len(self.ids), self.size)

    def __len__(self) -> int:
        """Steps in an epoch; a last batch that is not full is left out, another one every epoch."""
        return len(self.ids) // self.size

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of one epoch.

        While a card is busy with one, the next is made. On the CPU that would only take its cores away.
        """
        order = rng("order", self.seed, epoch).permutation(len(self.ids)).tolist()
        starts = range(0, len(self) * self.size, self.size)
        batches = (self._batch(epoch, order[start : start + self.size]) for start in starts)
        return batches if self.device.type == "cpu" else ahead(batches)

    def _batch(self, epoch: int, chosen: list[int]) -> Batch:
        ids = tuple(self.ids[i] for i in chosen)
        draws = draw(self.augmentation, self.seed, epoch, list(ids))
        sizes = self.images.sizes[chosen]
        thin = self.augmentation.labels == "footprint"
        windows = source_windows(draws, sizes, self.side, reach(draws.scale)[:, None] if thin else 0)
        images = self._wanted(self.images.cut(chosen, windows))

        def warped(pictures: Pictures) -> Batch:
            labels = self._wanted(pictures.cut(chosen, windows), self.ignore_index)
            return warp(images, labels, draws, sizes, self.side, self.ignore_index, windows[:, :2], thin)

        told = self.told
        return replace(
            warped(self.labels),
            ids=ids,
            tags=send(self.tags[chosen], self.device),
            # Few losses ask for it.
            read_told=None if told is None else lambda: warped(told).labels,
        )

    def _wanted(self, windows: Sequence[Tensor], fill: int = 0) -> Sequence[Tensor] | Tensor:
        """Bring windows to the device: as they lie where it is the CPU, in one array where it is a card."""
        return windows if self.device.type == "cpu" else send(stacked(windows, fill), self.device)
