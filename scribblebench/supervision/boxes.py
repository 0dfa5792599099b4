"""Boxes around objects, from VOC's annotation files; without them, around connected parts of the masks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

import numpy as np

from scribblebench.core.errors import UserError
from scribblebench.scribbles.components import components
from scribblebench.scribbles.mark import Mark, area, box_around, window
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.readers import holds_any
from scribblebench.supervision import SUPERVISIONS, Labels
from scribblebench.supervision._marked import Marked, MarkSupervision, Size
from scribblebench.supervision._voc_boxes import read_boxes

# Smaller parts of a mask are slivers between other objects: nobody would draw a box around one.
SMALLEST = 40
BACKGROUND = 0


@SUPERVISIONS.register
class Boxes(MarkSupervision, frozen=True):
    """A box around each object (SDI's cues C1 and C2; Khoreva et al., CVPR 2017, arXiv 1603.07485).

    Its label map is the publication's naive one: what is outside of all boxes is background, each box is
    filled with its class, and the smaller of two lies in front.
    """

    word: ClassVar[str] = "boxes"

    def sources(self, dataset: DatasetFolder, image: str) -> list[Path]:
        """The image's annotation file or its mask (see ``MarkSupervision``)."""
        return [path_of(dataset, image) if drawn_by_people(dataset) else dataset.mask_path(image)]

    def read(self, dataset: DatasetFolder, image: str, size: Size) -> Marked:
        """Read the boxes, or make them (see ``MarkSupervision``)."""
        if drawn_by_people(dataset):
            return read_boxes(path_of(dataset, image), dataset.card.class_of, size)
        if not dataset.card.has_masks:
            raise UserError(
                f"No boxes in {dataset.root}: {dataset.card.layout.boxes}/ has no .xml file, and there are "
                "no masks to draw boxes around. Add the annotation files."
            )
        return _of_parts(dataset.mask(image, size), dataset.card.ignore_index), Counter()

    def drawn(self, marks: tuple[Mark, ...], image: str, size: Size, dataset: DatasetFolder) -> Labels:
        """Fill the boxes (see ``MarkSupervision``)."""
        del image, dataset
        return filled(marks, size)

    def notices(self, dataset: DatasetFolder) -> list[str]:
        """Say when nobody drew the boxes (see ``Supervision``)."""
        if drawn_by_people(dataset):
            return []
        return [
            f"boxes are those of the masks' connected parts of {SMALLEST} pixels or more, as "
            f"{dataset.card.layout.boxes}/ has no .xml file: objects that touch have one box between them"
        ]


def drawn_by_people(dataset: DatasetFolder) -> bool:
    """Tell whether a dataset has annotation files with boxes."""
    return holds_any(dataset.root / dataset.card.layout.boxes, ".xml")


def path_of(dataset: DatasetFolder, image: str) -> Path:
    """Return the path of an image's annotation file."""
    return dataset.root / dataset.card.layout.boxes / f"{image}.xml"


def filled(boxes: tuple[Mark, ...], size: Size) -> Labels:
    """Fill boxes with their classes, the smaller in front, on background.

    Args:
        boxes: inside the image.
        size: width and height.

    >>> from scribblebench.scribbles.mark import box
    >>> filled((box(2, 1, 0, 2, 0), box(1, 0, 0, 2, 1)), (4, 2))
    array([[1, 2, 2, 0],
           [1, 1, 1, 0]], dtype=uint8)
    """
    labels = np.zeros(size[::-1], dtype=np.uint8)
    for mark in sorted(boxes, key=area, reverse=True):
        labels[window(mark)] = mark.class_index
    return labels


def _of_parts(mask: Labels, ignore_index: int) -> tuple[Mark, ...]:
    boxes = []
    for part in components(mask, ignore_index, min_area=SMALLEST):
        if part.class_index != BACKGROUND:
            around = box_around(part.visible, part.class_index)
            boxes.append(Mark(part.class_index, around.points + part.origin))
    return tuple(boxes)
