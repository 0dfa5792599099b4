"""Strokes from rendered label maps: traced along the middle of what was drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.repair import repair
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.readers import READERS, Reader, check_classes, check_size, stems


@READERS.register
class Png(Reader, frozen=True):
    """``pascal_2012_scribble/<id>.png``, palette or grey."""

    order: ClassVar[int] = 1
    looks_for: ClassVar[str] = "label PNGs in {labels}/"

    def present(self, card: DatasetCard, root: Path) -> bool:
        """Tell whether there is any label map."""
        return any((root / card.layout.labels).glob("*.png"))

    def ids(self, card: DatasetCard, root: Path) -> list[str]:
        """List the ids that have a label map."""
        return stems(root / card.layout.labels, ".png")

    def files(self, card: DatasetCard, root: Path, image: str) -> list[Path]:
        """The one of its name (see ``Reader``)."""
        return [root / card.layout.labels / f"{image}.png"]

    def read(
        self, card: DatasetCard, root: Path, image: str, size: tuple[int, int]
    ) -> tuple[Annotation, Counter[str]]:
        """Trace the strokes of one label map."""
        path = root / card.layout.labels / f"{image}.png"
        # Imported here: scikit-image takes half a second.
        from scribblebench.scribbles.trace import trace

        label = read_labels(path)
        check_size(path, label.shape[::-1], size)
        check_classes(label, card, path)
        strokes = trace(label, card.ignore_index)
        return repair(image, *size, ((s.class_index, s.points) for s in strokes))
