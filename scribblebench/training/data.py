"""What a cell trains on and is scored on, decoded once a process and kept on the device if it fits."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from scribblebench.core.errors import UserError, first_ten
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import Canvas, load_canvas
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.variant import ensure_variant
from scribblebench.training.cell import Cell
from scribblebench.training.evaluate import Validation

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
    """

    dataset: DatasetFolder
    variants: Path
    runs: Path
    device: torch.device
    weights: Path | None = None


def training_batches(cell: Cell, places: Places) -> Batches:
    """Load the training split with the labels that the method sees."""
    dataset = places.dataset
    ids = dataset.ids("train")
    if cell.method.supervision == "masks":
        label_paths = [dataset.mask_path(i) for i in ids]
    else:
        variant = ensure_variant(dataset, cell.variant, places.variants / dataset.card.name)
        label_paths = [variant.label_path(i) for i in ids]
    images = _photographs(tuple(dataset.image_path(i) for i in ids), places.device)
    return Batches(
        ids=ids,
        images=images,
        labels=_labels(label_paths, images, dataset.card.ignore_index),
        augmentation=cell.protocol.augmentation,
        side=cell.protocol.crop,
        size=cell.protocol.batch,
        seed=cell.seed,
        ignore_index=dataset.card.ignore_index,
        device=places.device,
    )


def validation(places: Places) -> Validation:
    """Load the validation split."""
    dataset = places.dataset
    ids = dataset.ids("val")
    images = _photographs(tuple(dataset.image_path(i) for i in ids), places.device)
    masks = _labels([dataset.mask_path(i) for i in ids], images, dataset.card.ignore_index)
    classes = len(dataset.card.classes)
    return Validation(ids, images, masks, classes, dataset.card.ignore_index, places.device)


@functools.lru_cache(maxsize=2)
def _photographs(paths: tuple[Path, ...], device: torch.device) -> Canvas:
    canvas = load_canvas(paths, "RGB", torch.device("cpu"))
    if device.type == "cuda" and canvas.pixels.nbytes <= DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]:
        return Canvas(canvas.pixels.to(device), canvas.sizes)
    return canvas


def _labels(paths: Sequence[Path], images: Canvas, ignore: int) -> Canvas:
    labels = load_canvas(paths, "P", images.pixels.device, fill=ignore)
    wrong = (labels.sizes != images.sizes).any(dim=1).nonzero().flatten().tolist()
    if wrong:
        sizes = (f"{paths[i]} ({_size(labels, i)}, image {_size(images, i)})" for i in wrong)
        raise UserError(f"Label maps of another size than their images: {first_ten(sizes)}.")
    return labels


def _size(canvas: Canvas, index: int) -> str:
    height, width = canvas.sizes[index].tolist()
    return f"{width} x {height}"
