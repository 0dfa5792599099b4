"""A dataset on disk: ids, photographs, masks and strokes of a folder in VOC layout."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.pictures.finding import find
from scribblebench.pictures.photographs import SUFFIXES
from scribblebench.pictures.size import picture_size, stored_size
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.classes import read_mask
from scribblebench.sources.kinds import KINDS
from scribblebench.sources.lists import read_list
from scribblebench.sources.readers import READERS, Reader, check_size
from scribblebench.sources.stamps import Stamp, stamp

# The augmented lists first; a plain VOC archive has only the second.
_LISTS = ("ImageSets/SegmentationAug", "ImageSets/Segmentation")


@dataclass(frozen=True)
class DatasetFolder:
    """A dataset in reach. Made by ``open_dataset``.

    Attributes:
        card: what it is.
        root: where it is.
        strokes: the name of the reader of its strokes, such as ``xml``; empty where it has none.
    """

    card: DatasetCard
    root: Path
    strokes: str
    # Strokes that were read in this process: image -> stamp of the files, annotation and repairs.
    _read: dict[str, tuple[Stamp, Annotation, Counter[str]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __reduce__(self) -> tuple[type[DatasetFolder], tuple[DatasetCard, Path, str]]:
        """Leave what was read behind when another process is told of the folder."""
        return DatasetFolder, (self.card, self.root, self.strokes)

    def ids(self, split: str) -> list[str]:
        """List the images of a split, in the order of its list.

        Without a list, those that have strokes and are in no other split's list are for training.

        Raises:
            UserError: the card has no such split, the folder no list of it, or no image is left.
        """
        if split not in self.card.splits:
            raise UnknownNameError("split", split, self.card.splits)
        path = self.list_path(split)
        if path is not None:
            return read_list(path, self.root, self.card.layout)
        if split != "train" or not self.strokes:
            raise UserError(
                f"No list of the {split} images: {self._list_paths(split)[0]} is missing. Add it."
            )
        taken = {image for other in self._listed() for image in self.ids(other)}
        ids = [image for image in self.reader.ids(self.card, self.root) if image not in taken]
        if not ids:
            raise UserError(f"No images to train on in {self.root}: other lists have all with strokes.")
        return ids

    def notices(self) -> list[str]:
        """Say what a user should know of the splits, a line each: a missing list, ids that two lists share.

        Raises:
            UserError: a list is not in order.
        """
        found = []
        listed = self._listed()
        if "train" in self.card.splits and "train" not in listed and self.strokes:
            but = f", but those of {' and '.join(listed)}" if listed else ""
            missing = self._list_paths("train")[0].relative_to(self.root)
            found.append(f"{missing} is missing: every image that has strokes is one to train on{but}")
        for (one, ids), (other, others) in combinations([(s, set(self.ids(s))) for s in listed], 2):
            if shared := ids & others:
                found.append(f"{len(shared)} ids are in {one} and {other}, such as {min(shared)}")
        return found

    def _listed(self) -> list[str]:
        return [split for split in self.card.splits if self.list_path(split)]

    def list_path(self, split: str) -> Path | None:
        """Return the list file of a split, or None where the folder has none.

        Raises:
            UserError: what bears its name cannot be read: a folder, or a link that leads nowhere.
        """
        for path in self._list_paths(split):
            if path.is_file():
                return path
            if os.path.lexists(path):
                raise UserError(
                    f"{path} is no file, or a link that leads to none. Put the list in its place."
                )
        return None

    def _list_paths(self, split: str) -> list[Path]:
        name = f"{self.card.splits[split]}.txt"
        return [self.root / folder / name for folder in dict.fromkeys((self.card.layout.lists, *_LISTS))]

    def image_path(self, image: str) -> Path:
        """Return the path of a photograph; where there is none, the path that it should have.

        Raises:
            UserError: several files could be it, and none has the suffix that the card names.
        """
        layout = self.card.layout
        return find(self.root / layout.images, image, layout.image_suffix, SUFFIXES)

    def mask_path(self, image: str) -> Path:
        """Return the path of a dense mask; where there is none, the path that it should have.

        Raises:
            UserError: it lies there as another kind of file.
        """
        return find(self.root / self.card.layout.masks, image, ".png")

    @cached_property
    def reader(self) -> Reader:
        """The reader of its strokes.

        Raises:
            UserError: the folder holds nothing that strokes could be read from.
        """
        if not self.strokes:
            wanted = " or ".join(_looks_for(self.card, name) for name in _by_preference())
            raise UserError(f"No strokes in {self.root}: looked for {wanted}. Add one of them.")
        return READERS.get(self.strokes)()

    def annotation(self, image: str) -> Annotation:
        """Read the strokes of an image, repaired where that is harmless."""
        return self.read(image)[0]

    def read(self, image: str) -> tuple[Annotation, Counter[str]]:
        """Read the strokes of an image, and the repairs that they needed; a file that is as it was, once.

        Raises:
            UserError: the photograph or the strokes are missing or malformed.
        """
        photograph = self.image_path(image)
        now = stamp((photograph, *self.reader.files(self.card, self.root, image)))
        known = self._read.get(image)
        if known is None or known[0] != now:
            found = self.reader.read(self.card, self.root, image, picture_size(photograph))
            known = self._read[image] = (now, *found)
        return known[1], known[2].copy()

    def mask(self, image: str, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Read the dense mask of an image, uint8 (height, width): class indices, and the ignore index.

        Args:
            image: the id.
            size: width and height of the photograph, where they are known.

        Raises:
            UserError: missing, malformed, of another size than the photograph, or with values that mean no
                class.
        """
        self.check_mask(image, size)
        return read_mask(self.mask_path(image), self.card)

    def check_mask(self, image: str, size: tuple[int, int] | None = None) -> None:
        """Look whether an image's mask is there and of the photograph's size.

        Args:
            image: the id.
            size: width and height of the photograph, where they are known.

        Raises:
            UserError: it is not.
        """
        path = self.mask_path(image)
        check_size(path, stored_size(path), size or picture_size(self.image_path(image)))


def open_dataset(
    card: DatasetCard, data_dir: Path | None = None, strokes: str | None = None
) -> DatasetFolder:
    """Find a dataset and how its strokes are read.

    Args:
        card: the dataset.
        data_dir: its folder; without it, where ``fetch`` puts it, and the toy is generated.
        strokes: the reader to use; without it, the first that finds its files.

    Raises:
        UserError: no such folder, an empty one, or nothing there for the reader asked for.
    """
    root = KINDS.get(card.source)().locate(card, data_dir)
    if strokes is None:
        return DatasetFolder(card, root, found_reader(card, root))
    if not READERS.get(strokes)().present(card, root):
        raise UserError(f"--from {strokes}: no {_looks_for(card, strokes)} in {root}.")
    return DatasetFolder(card, root, strokes)


def found_reader(card: DatasetCard, root: Path) -> str:
    """Name the reader of a folder's strokes, the first that finds its files; empty where none does."""
    return next((name for name in _by_preference() if READERS.get(name)().present(card, root)), "")


def _by_preference() -> list[str]:
    return sorted(READERS.names(), key=lambda name: READERS.get(name).order)


def _looks_for(card: DatasetCard, reader: str) -> str:
    layout = card.layout
    names = {name: getattr(layout, name) for name in layout.__struct_fields__}
    return READERS.get(reader).looks_for.format(**names)
