"""Tags: the classes that an image shows, without a place; from boxes, clicks, masks or strokes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

import numpy as np

from scribblebench.core.errors import UserError
from scribblebench.scribbles.mark import Mark, tag
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.readers.clicks import load_clicks
from scribblebench.supervision import SUPERVISIONS, Labels, tags_of_map
from scribblebench.supervision._marked import Marked, MarkSupervision, Size
from scribblebench.supervision._voc_boxes import read_boxes
from scribblebench.supervision.boxes import drawn_by_people, path_of
from scribblebench.supervision.points import check_class


@SUPERVISIONS.register
class Tags(MarkSupervision, frozen=True):
    """The classes of the boxes that people drew; else of their clicks, of the masks, or of the strokes."""

    word: ClassVar[str] = "tags"

    def sources(self, dataset: DatasetFolder, image: str) -> list[Path]:
        """The files of the first of those that the dataset has (see ``MarkSupervision``)."""
        return _source(dataset).files(dataset, image)

    def read(self, dataset: DatasetFolder, image: str, size: Size) -> Marked:
        """Name each class once, in the order of the dataset's (see ``MarkSupervision``)."""
        classes, repairs = _source(dataset).classes(dataset, image, size)
        return tuple(tag(index) for index in sorted(classes - {0})), repairs

    def drawn(self, marks: tuple[Mark, ...], image: str, size: Size, dataset: DatasetFolder) -> Labels:
        """Say nothing of any pixel (see ``MarkSupervision``)."""
        del marks, image
        return np.full(size[::-1], dataset.card.ignore_index, dtype=np.uint8)

    def notices(self, dataset: DatasetFolder) -> list[str]:
        """Say when tags are taken from what says more (see ``Supervision``)."""
        source = _source(dataset)
        if not source.notice:
            return []
        return [f"tags are the classes of the {source.word}, as there are no boxes or clicks"]


class _Source:
    """Something that tags can be taken from."""

    word: ClassVar[str]
    notice: ClassVar[bool] = False

    def present(self, dataset: DatasetFolder) -> bool:
        raise NotImplementedError

    def files(self, dataset: DatasetFolder, image: str) -> list[Path]:
        raise NotImplementedError

    def classes(self, dataset: DatasetFolder, image: str, size: Size) -> tuple[set[int], Counter[str]]:
        raise NotImplementedError


class _OfBoxes(_Source):
    word = "boxes"

    def present(self, dataset: DatasetFolder) -> bool:
        return drawn_by_people(dataset)

    def files(self, dataset: DatasetFolder, image: str) -> list[Path]:
        return [path_of(dataset, image)]

    def classes(self, dataset: DatasetFolder, image: str, size: Size) -> tuple[set[int], Counter[str]]:
        boxes, repairs = read_boxes(path_of(dataset, image), dataset.card.class_of, size)
        return {mark.class_index for mark in boxes}, repairs


class _OfClicks(_Source):
    word = "clicks"

    def _path(self, dataset: DatasetFolder) -> Path:
        return dataset.root / dataset.card.layout.clicks

    def present(self, dataset: DatasetFolder) -> bool:
        return self._path(dataset).is_file()

    def files(self, dataset: DatasetFolder, image: str) -> list[Path]:
        return [self._path(dataset)]

    def classes(self, dataset: DatasetFolder, image: str, size: Size) -> tuple[set[int], Counter[str]]:
        clicks = load_clicks(self._path(dataset)).get(image, [])
        for click in clicks:
            check_class(click, f"{self._path(dataset)}: {image}", dataset)
        return {click.cls for click in clicks}, Counter()


class _OfMasks(_Source):
    word = "masks"
    notice = True

    def present(self, dataset: DatasetFolder) -> bool:
        return dataset.card.has_masks

    def files(self, dataset: DatasetFolder, image: str) -> list[Path]:
        return [dataset.mask_path(image)]

    def classes(self, dataset: DatasetFolder, image: str, size: Size) -> tuple[set[int], Counter[str]]:
        found = tags_of_map(dataset.mask(image, size), dataset.card)
        return set(np.flatnonzero(found).tolist()), Counter()


class _OfStrokes(_Source):
    word = "strokes"
    notice = True

    def present(self, dataset: DatasetFolder) -> bool:
        return bool(dataset.strokes)

    def files(self, dataset: DatasetFolder, image: str) -> list[Path]:
        return dataset.reader.files(dataset.card, dataset.root, image)

    def classes(self, dataset: DatasetFolder, image: str, size: Size) -> tuple[set[int], Counter[str]]:
        annotation, repairs = dataset.read(image)
        return {stroke.class_index for stroke in annotation.strokes}, repairs


_SOURCES = (_OfBoxes(), _OfClicks(), _OfMasks(), _OfStrokes())


def _source(dataset: DatasetFolder) -> _Source:
    for source in _SOURCES:
        if source.present(dataset):
            return source
    raise UserError(f"No tags in {dataset.root}: it has no boxes, clicks, masks or strokes. Add one of them.")
