"""What clicks, boxes and tags have in common: read, degraded and drawn image by image, never kept on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scribblebench.pictures.size import picture_size
from scribblebench.scribbles.degradation import Scene, degrade_marks
from scribblebench.scribbles.digest import marks_digest
from scribblebench.scribbles.mark import Mark
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import Digests, stated_variant
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.survey import FileKind, Found
from scribblebench.supervision import Labels, Supervision, Targets, Tell, Told

Marked = tuple[tuple[Mark, ...], Counter[str]]
Size = tuple[int, int]
"""Width and height."""


class MarkSupervision(Supervision, frozen=True):
    """A kind of marks."""

    def sources(self, dataset: DatasetFolder, image: str) -> list[Path]:
        """List the files that the marks of an image are read from, its photograph aside.

        Raises:
            UserError: the dataset has nothing that they could be read from.
        """
        raise NotImplementedError

    def read(self, dataset: DatasetFolder, image: str, size: Size) -> Marked:
        """Read the marks of an image, and the repairs that they needed.

        Raises:
            UserError: their file is missing or malformed, or the dataset has none.
        """
        raise NotImplementedError

    def drawn(self, marks: tuple[Mark, ...], image: str, size: Size, dataset: DatasetFolder) -> Labels:
        """Make the label map that the marks stand for."""
        raise NotImplementedError

    def files(self) -> Mapping[str, FileKind]:
        """The photograph, whose size is asked, and what the marks are read from (see ``Supervision``)."""

        def files(dataset: DatasetFolder, image: str) -> list[Path]:
            return [dataset.image_path(image), *self.sources(dataset, image)]

        return {f"{self.word} {self.rule}": FileKind(files, self._look)}

    def _look(self, dataset: DatasetFolder, image: str) -> Found:
        width, height = size = picture_size(dataset.image_path(image))
        marks, repairs = self.read(dataset, image, size)
        counts = Counter(mark.class_index for mark in marks)
        digest = marks_digest(image, width, height, marks)
        return Found(digest, height, width, dict(counts), repairs=dict(repairs))

    def told(self, of: Told) -> Tell:
        """Read, degrade and draw (see ``Supervision``)."""
        return _Marks(self, of.dataset, of.variant).of

    def stated(self, train: Digests, variant: VariantSpec, ignore_index: int) -> dict[str, Any]:
        """Classes and points, the variant and the reader's rule (see ``Supervision``)."""
        del ignore_index
        (name,) = self.files()
        return {self.word: train.marks[name], "reader": self.rule, **stated_variant(variant)}


class _Marks(NamedTuple):
    part: MarkSupervision
    dataset: DatasetFolder
    variant: VariantSpec

    def of(self, image: str) -> Targets:
        dataset, part = self.dataset, self.part
        size = picture_size(dataset.image_path(image))
        marks, _ = part.read(dataset, image, size)
        scene = Scene(image, *size, len(dataset.card.classes))
        left = degrade_marks(marks, self.variant.parts(), self.variant.seed, scene)
        tags = np.zeros(len(dataset.card.classes), dtype=bool)
        tags[[0, *(mark.class_index for mark in left)]] = True
        return Targets(part.drawn(left, image, size, dataset), tags, left)
