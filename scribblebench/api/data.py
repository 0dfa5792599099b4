"""A variant, or the dense masks of a split, as a plain ``torch.utils.data.Dataset``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from scribblebench.api.variants import open_source
from scribblebench.core.errors import UserError
from scribblebench.pictures.photographs import read_photograph
from scribblebench.sources.variant import Variant, open_variant

Bytes = NDArray[np.uint8]
Transform = Callable[[Bytes, Bytes], tuple[Any, Any]]


def to_tensors(picture: Bytes, label: Bytes) -> tuple[Tensor, Tensor]:
    """Turn a picture (h, w, 3) and a label map (h, w) into uint8 (3, h, w) and long (h, w) tensors.

    >>> picture, label = to_tensors(np.zeros((2, 5, 3), np.uint8), np.zeros((2, 5), np.uint8))
    >>> picture.shape, label.dtype
    (torch.Size([3, 2, 5]), torch.int64)
    """
    planes = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
    return planes, torch.from_numpy(label.astype(np.int64))


class LabelledPictures(Dataset[tuple[Any, Any, str]]):
    """Pictures and their label maps, read when they are asked for. Made by ``load_variant``, ``load_truth``.

    An item is a picture, its label map and its id. Without a transform they are tensors: uint8 (3, h, w), RGB
    of 0-255, and long (h, w), class indices and ``ignore_index``. Pictures have their own sizes: crop them to
    one in the transform, or take a batch of 1.

    Attributes:
        ids: of the images, sorted.
        classes: their names, background first.
        ignore_index: the label of pixels without one.
    """

    def __init__(
        self,
        ids: Sequence[str],
        picture_path: Callable[[str], Path],
        label: Callable[[str], Bytes],
        classes: Sequence[str],
        ignore_index: int,
        transform: Transform | None = None,
    ) -> None:
        self.ids = list(ids)
        self.classes = tuple(classes)
        self.ignore_index = ignore_index
        self._picture_path, self._label = picture_path, label
        self._transform = transform or to_tensors

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Any, Any, str]:
        """Read one image.

        Raises:
            UserError: a file is missing or damaged, or picture and label map differ in size.
        """
        image = self.ids[index]
        picture, label = read_photograph(self._picture_path(image)), self._label(image)
        if picture.shape[:2] != label.shape:
            (high, wide), (height, width) = label.shape, picture.shape[:2]
            raise UserError(
                f"The label map of {image} has {wide} x {high} pixels, its picture {width} x {height}."
            )
        return *self._transform(picture, label), image


def load_variant(
    variant: Variant | Path | str,
    *,
    data_dir: Path | str | None = None,
    transform: Transform | None = None,
    cards: Sequence[Path | str] = (),
) -> LabelledPictures:
    """Load a variant to train on: its label maps, with the pictures of the dataset it was made from.

    Args:
        variant: what ``make_variant`` returned, or the folder.
        data_dir: the dataset's folder; without it, where ``fetch`` puts it.
        transform: called with the picture, uint8 (h, w, 3), and the label map, uint8 (h, w); returns what
            stands in their place.
        cards: folders with cards of your own.

    Raises:
        UserError: there is no variant or no such dataset. Reading an item raises it where a label map is not
            the one that was made.
    """
    found = variant if isinstance(variant, Variant) else open_variant(Path(variant))
    source = open_source(found.head.source.dataset, data_dir, cards)
    card = source.card
    return LabelledPictures(
        found.ids, source.image_path, found.label, card.classes, card.ignore_index, transform
    )


def load_truth(
    dataset: str = "toy",
    *,
    split: str = "val",
    data_dir: Path | str | None = None,
    transform: Transform | None = None,
    cards: Sequence[Path | str] = (),
) -> LabelledPictures:
    """Load the dense masks of a split, to evaluate with (arguments as of ``load_variant``).

    Args:
        dataset: the name of a dataset card.
        split: which images.
        data_dir: the dataset's folder; without it, where ``fetch`` puts it.
        transform: as of ``load_variant``.
        cards: folders with cards of your own.

    Raises:
        UserError: no such dataset or split. Reading an item raises it where a mask is missing or malformed.
    """
    source = open_source(dataset, data_dir, cards)
    card, ids = source.card, sorted(source.ids(split))
    return LabelledPictures(ids, source.image_path, source.mask, card.classes, card.ignore_index, transform)
