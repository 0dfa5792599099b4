"""Strokes from rendered label maps: traced along the middle of what was drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.pictures.finding import find
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.repair import repair
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.classes import check_unlabelled, classes_of
from scribblebench.sources.readers import READERS, Reader, check_size, holds_any, stems


@READERS.register
class Png(Reader, frozen=True):
    """``pascal_2012_scribble/<id>.png``, palette or grey."""

    rule: ClassVar[int] = 2
    order: ClassVar[int] = 1
    looks_for: ClassVar[str] = "label PNGs in {labels}/"

    def present(self, card: DatasetCard, root: Path) -> bool:
        """Tell whether there is any label map."""
        return holds_any(root / card.layout.labels, ".png")

    def ids(self, card: DatasetCard, root: Path) -> list[str]:
        """List the ids that have a label map."""
        return stems(root / card.layout.labels, ".png")

    def files(self, card: DatasetCard, root: Path, image: str) -> list[Path]:
        """The one of its name (see ``Reader``)."""
        return [find(root / card.layout.labels, image, ".png")]

    def read(
        self, card: DatasetCard, root: Path, image: str, size: tuple[int, int]
    ) -> tuple[Annotation, Counter[str]]:
        """Trace the strokes of one label map."""
        path = find(root / card.layout.labels, image, ".png")
        # Imported here: scikit-image takes half a second.
        from scribblebench.scribbles.trace import trace

        label = read_labels(path)
        check_size(path, label.shape[::-1], size)
        values = card.values.strokes
        check_unlabelled(label, values, card, path)
        classes = classes_of(label, values, card, path)
        strokes = trace(classes, card.ignore_index)
        return repair(image, *size, ((s.class_index, s.points) for s in strokes))
