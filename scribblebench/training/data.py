"""What a cell trains on and is scored on, decoded once a process and kept on the device if it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import Bytes, Pictures, load_pictures
from scribblebench.sources.folder import DatasetFolder
from scribblebench.supervision import Tell, Told
from scribblebench.training.cell import Cell
from scribblebench.training.evaluate import Validation
from scribblebench.training.photographs import shared_photographs

# Photographs stay on a CUDA device while they leave it this share of its free memory.
DEVICE_SHARE = 0.25


@dataclass(frozen=True)
class Places:
    """Where things are on this machine; none of it decides a result.

    Attributes:
        dataset: the dataset's folder.
        variants: degraded variants are made and found below it.
        runs: records and, below ``checkpoints``, weights.
        device: where networks are trained.
        weights: file of initial weights, or None.
        keep_predictions: keep those of the validation images below ``runs``.
        made: folders of variants that lie elsewhere than below ``variants``, by their ids.
    """

    dataset: DatasetFolder
    variants: Path
    runs: Path
    device: torch.device
    weights: Path | None = None
    keep_predictions: bool = False
    made: Mapping[str, Path] = field(default_factory=dict)


def training_batches(cell: Cell, places: Places) -> Batches:
    """Load the training split with what the method is told of it.

    Images come in the order of their ids, whatever the order of the list.

    Raises:
        UserError: the variant is not what the cell is named after, or a file cannot be read.
    """
    dataset = places.dataset
    ids = sorted(dataset.ids("train"))
    images = _photographs(places, tuple(ids))
    labels, tags = _told(told(cell, places), ids, images, len(cell.classes))
    return Batches(
        ids=ids,
        images=images,
        labels=labels,
        tags=tags,
        augmentation=cell.protocol.augmentation,
        side=cell.protocol.crop,
        size=cell.protocol.batch,
        seed=cell.seed,
        ignore_index=dataset.card.ignore_index,
        device=places.device,
    )


def told(cell: Cell, places: Places, workers: int = 1) -> Tell:
    """Return what tells a cell of its training images; degraded strokes are made, or found.

    Raises:
        UserError: something else is in their place.
    """
    of = Told(places.dataset, cell.variant, places.variants, cell.train, workers, places.made)
    return cell.supervision.told(of)


def _told(tell: Tell, ids: Sequence[str], images: Pictures, classes: int) -> tuple[Pictures, Tensor]:
    """Read label maps and, in the same go, tags: bool (images, classes), on the CPU."""
    tags = torch.zeros(len(ids), classes, dtype=torch.bool)
    index = {image: place for place, image in enumerate(ids)}

    def labels(image: str) -> Bytes:
        targets = tell(image)
        tags[index[image]] = torch.from_numpy(targets.tags)
        return targets.labels

    return _labels(labels, ids, images), tags


def validation(places: Places, ids: Sequence[str] | None = None) -> Validation:
    """Load the validation split, or only some images of it."""
    dataset = places.dataset
    ids = sorted(dataset.ids("val")) if ids is None else ids
    images = _photographs(places, tuple(ids))
    classes = len(dataset.card.classes)
    return Validation(
        ids, images, _labels(dataset.mask, ids, images), classes, dataset.card.ignore_index, places.device
    )


# One split of training and one of validation.
_kept: dict[tuple[Path, tuple[str, ...], torch.device], Pictures] = {}


def _photographs(places: Places, ids: tuple[str, ...]) -> Pictures:
    """Map decoded photographs, or find those of the last cell; on a CUDA device if they leave room there."""
    dataset, device = places.dataset, places.device
    key = (dataset.root, ids, device)
    if key not in _kept:
        while len(_kept) >= 2:
            _kept.pop(next(iter(_kept)))
        folder = places.variants / dataset.card.name
        pictures = shared_photographs([dataset.image_path(image) for image in ids], folder)
        _kept[key] = _on_device(pictures, device)
    return _kept[key]


def _on_device(pictures: Pictures, device: torch.device) -> Pictures:
    fits = device.type == "cuda" and (
        pictures.pixels.nbytes <= DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]
    )
    return pictures.to(device) if fits else pictures


def _labels(read: Callable[[str], Bytes], ids: Sequence[str], images: Pictures) -> Pictures:
    """Read label maps, of the sizes of their photographs."""
    sizes = [(height, width) for height, width in images.sizes.tolist()]

    def label(index: int) -> Bytes:
        found = read(ids[index])
        if found.shape != sizes[index]:
            (height, width), (high, wide) = found.shape, sizes[index]
            raise UserError(
                f"The label map of {ids[index]} has {width} x {height} pixels, "
                f"its photograph {wide} x {high}."
            )
        return found

    return load_pictures(label, sizes, 1).to(images.pixels.device)
