"""A dataset on disk: ids, photographs, masks and strokes of a folder in VOC layout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.size import picture_size, stored_size
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.kinds import KINDS
from scribblebench.sources.readers import READERS, Reader, check_size

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

    def ids(self, split: str) -> list[str]:
        """List the images of a split, in the order of its list.

        Raises:
            UserError: the card has no such split, or the folder no list of it.
        """
        if split not in self.card.splits:
            raise UnknownNameError("split", split, self.card.splits)
        path = self.list_path(split)
        if path is not None:
            return _read_list(path)
        if split != "train" or not self.strokes:
            raise UserError(
                f"No list of the {split} images in {self.root / self.card.layout.lists}. Add one."
            )
        return self.reader.ids(self.card, self.root)

    def list_path(self, split: str) -> Path | None:
        """Return the list file of a split, or None where the folder has none."""
        name = f"{self.card.splits[split]}.txt"
        folders = dict.fromkeys((self.card.layout.lists, *_LISTS))
        paths = (self.root / folder / name for folder in folders)
        return next((path for path in paths if path.is_file()), None)

    def image_path(self, image: str) -> Path:
        """Return the path of a photograph."""
        return self.root.joinpath(self.card.layout.images, f"{image}{self.card.layout.image_suffix}")

    def mask_path(self, image: str) -> Path:
        """Return the path of a dense mask."""
        return self.root.joinpath(self.card.layout.masks, f"{image}.png")

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
        """Read the strokes of an image, and the repairs that they needed.

        Raises:
            UserError: the photograph or the strokes are missing or malformed.
        """
        return self.reader.read(self.card, self.root, image, picture_size(self.image_path(image)))

    def mask(self, image: str, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """Read the dense mask of an image, uint8 (height, width).

        Args:
            image: the id.
            size: width and height of the photograph, where they are known.

        Raises:
            UserError: missing, malformed, or of another size than the photograph.
        """
        self.check_mask(image, size)
        return read_labels(self.mask_path(image))

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
        found = (name for name in _by_preference() if READERS.get(name)().present(card, root))
        return DatasetFolder(card, root, next(found, ""))
    if not READERS.get(strokes)().present(card, root):
        raise UserError(f"--from {strokes}: no {_looks_for(card, strokes)} in {root}.")
    return DatasetFolder(card, root, strokes)


def _by_preference() -> list[str]:
    return sorted(READERS.names(), key=lambda name: READERS.get(name).order)


def _looks_for(card: DatasetCard, reader: str) -> str:
    layout = card.layout
    names = {name: getattr(layout, name) for name in layout.__struct_fields__}
    return READERS.get(reader).looks_for.format(**names)


def _read_list(path: Path) -> list[str]:
    """Ids of a list file, one a line; of lines that name files, the first file's stem."""
    lines = path.read_text(encoding="utf-8").split("\n")
    ids = [Path(line.split()[0]).stem if "/" in line else line.strip() for line in lines if line.strip()]
    if not ids:
        raise UserError(f"{path} lists no images. Fetch it again.")
    repeated = [image for image, count in Counter(ids).items() if count > 1]
    if repeated:
        raise UserError(f"{path} lists {repeated[0]} twice. Remove one.")
    return ids
