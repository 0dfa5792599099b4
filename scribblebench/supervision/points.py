"""Clicks: one on an object of each class in an image (Bearman et al., ECCV 2016, arXiv 1506.02106)."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import ClassVar

import numpy as np

from scribblebench.core.errors import UserError, first_ten
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.mark import Mark
from scribblebench.scribbles.repair import FARTHEST
from scribblebench.scribbles.stroke import Annotation, Stroke
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.readers.clicks import Click, load_clicks
from scribblebench.supervision import SUPERVISIONS, Labels
from scribblebench.supervision._marked import Marked, MarkSupervision, Size

OUTSIDE = "clicks outside the image, left out"


@SUPERVISIONS.register
class Points(MarkSupervision, frozen=True):
    """The first click of each class, as ``voc_whats_the_point.json`` ranks them; none on the background.

    A click is drawn as a single point of a stroke is, a dot as wide as the pen: one pixel would be lost in
    half of the zooms of the augmentation.
    """

    word: ClassVar[str] = "points"

    def sources(self, dataset: DatasetFolder, image: str) -> list[Path]:
        """The one file of all images (see ``MarkSupervision``)."""
        del image
        return [_path(dataset)]

    def read(self, dataset: DatasetFolder, image: str, size: Size) -> Marked:
        """Take the clicks of the first rank (see ``MarkSupervision``)."""
        clicks = [c for c in load_clicks(_path(dataset)).get(image, []) if c.rank == 1]
        for click in clicks:
            where = f"{_path(dataset)}: {image}"
            check_class(click, where, dataset)
            _check_place(click, where)
        inside = [c for c in clicks if 0 <= c.x <= size[0] - 1 and 0 <= c.y <= size[1] - 1]
        marks = tuple(Mark(click.cls, np.array([[click.x, click.y]])) for click in inside)
        return marks, +Counter({OUTSIDE: len(clicks) - len(inside)})

    def drawn(self, marks: tuple[Mark, ...], image: str, size: Size, dataset: DatasetFolder) -> Labels:
        """Draw a dot on each (see ``MarkSupervision``)."""
        strokes = tuple(Stroke(mark.class_index, mark.points) for mark in marks)
        return draw(Annotation(image, *size, strokes), ignore_index=dataset.card.ignore_index)

    def notices(self, dataset: DatasetFolder) -> list[str]:
        """Clicks that no photograph belongs to (see ``Supervision``)."""
        path = _path(dataset)
        lists = (dataset.ids(split) for split in dataset.card.splits if dataset.list_path(split))
        listed = set(chain.from_iterable(lists))
        lost = [i for i in load_clicks(path) if i not in listed and not dataset.image_path(i).is_file()]
        if not lost:
            return []
        return [f"{path.name} has clicks on {len(lost)} images that are not there: {first_ten(sorted(lost))}"]


def _path(dataset: DatasetFolder) -> Path:
    path = dataset.root / dataset.card.layout.clicks
    if not path.is_file():
        raise UserError(f"No clicks in {dataset.root}: {path.name} is missing. Add it.")
    return path


def check_class(click: Click, where: str, dataset: DatasetFolder) -> None:
    """Look whether a click is on an object.

    Raises:
        UserError: it is not.
    """
    if not 0 < click.cls < len(dataset.card.classes):
        raise UserError(
            f"{where} has a click of class {click.cls}, which is no object of {dataset.card.name}. Mend it."
        )


def _check_place(click: Click, where: str) -> None:
    if not max(abs(click.x), abs(click.y)) <= FARTHEST:
        raise UserError(f"{where} has a click at {click.x:g}, {click.y:g}. Mend it.")
