"""Strokes where nobody drew any: human-like ones, made from the dense masks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.pictures.finding import find
from scribblebench.scribbles.repair import repair
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.classes import read_mask
from scribblebench.sources.readers import READERS, Reader, check_size, holds_any, stems

# The strokes stand for what a person drew once, so a variant's seed does not change them.
_SEED = 0


@READERS.register
class Masks(Reader, frozen=True):
    """``SegmentationClassAug/<id>.png``."""

    rule: ClassVar[int] = 2
    order: ClassVar[int] = 3
    looks_for: ClassVar[str] = "dense masks in {masks}/"

    def present(self, card: DatasetCard, root: Path) -> bool:
        """Tell whether there is any mask."""
        return holds_any(root / card.layout.masks, ".png")

    def ids(self, card: DatasetCard, root: Path) -> list[str]:
        """List the ids that have a mask."""
        return stems(root / card.layout.masks, ".png")

    def files(self, card: DatasetCard, root: Path, image: str) -> list[Path]:
        """The mask (see ``Reader``)."""
        return [find(root / card.layout.masks, image, ".png")]

    def read(
        self, card: DatasetCard, root: Path, image: str, size: tuple[int, int]
    ) -> tuple[Annotation, Counter[str]]:
        """Make the strokes of one mask; the same mask and id give the same strokes."""
        path = find(root / card.layout.masks, image, ".png")
        # Imported here: scikit-image takes half a second.
        from scribblebench.scribbles.synthesise import synthesise

        mask = read_mask(path, card)
        check_size(path, mask.shape[::-1], size)
        strokes = synthesise(mask, image, _SEED)
        return repair(image, *size, ((s.class_index, s.points) for s in strokes))
