"""One image of a variant: read, degrade, round, draw, write."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from scribblebench.core.cards import Layout
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes, degrade
from scribblebench.scribbles.digest import pixels_digest, strokes_digest
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.png import encode_labels
from scribblebench.scribbles.stroke import Annotation, Points, Stroke, rounded
from scribblebench.scribbles.xml import tags_of, write_xml
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import ImageRecord
from scribblebench.sources.spec import VariantSpec

# Where the field's code looks for label maps and strokes.
LABELS = Layout().labels
STROKES = Layout().strokes


@dataclass(frozen=True, eq=False)
class Derived:
    """What a variant holds for one image.

    Attributes:
        record: its line in the manifest, the file digests included.
        repairs: what was mended in the source.
        png: the label map's file.
        xml: the annotation file.
        label: the label map.
        written: the strokes of the annotation file.
    """

    record: ImageRecord
    repairs: Counter[str]
    png: bytes
    xml: bytes
    label: NDArray[np.uint8]
    written: Annotation


@dataclass(frozen=True)
class Job:
    """How every image of a variant is made."""

    dataset: DatasetFolder
    spec: VariantSpec

    @cached_property
    def reads_masks(self) -> bool:
        """Whether the rules look at the dense masks."""
        return self.dataset.card.has_masks and self.spec.needs_masks()

    @cached_property
    def _parts(self) -> tuple[tuple[Degradation, float], ...]:
        return self.spec.parts()

    @cached_property
    def _pen(self) -> Pen:
        return self.spec.drawn_with()

    @cached_property
    def _tags(self) -> tuple[str, ...]:
        return tags_of(self.dataset.card)

    def derive(self, image: str) -> Derived:
        """Make one image, in memory.

        Raises:
            UserError: its photograph, mask or strokes are missing or malformed.
        """
        source, repairs = self.dataset.read(image)
        mask = self._mask(image, (source.width, source.height))
        scene = Scene(image, source.width, source.height, len(self.dataset.card.classes), mask)
        strokes = degrade(source, self._parts, self.spec.seed, scene)
        written, exact = _whole(source, strokes)
        label = draw(written, self._pen, self.dataset.card.ignore_index)
        png, xml = encode_labels(label, self.spec.labels), write_xml(written, self._tags)
        record = ImageRecord(
            image=image,
            source=strokes_digest(source),
            strokes=len(source.strokes),
            kept=tuple(strokes),
            exact=exact,
            pixels=int(np.count_nonzero(label != self.dataset.card.ignore_index)),
            drawn=strokes_digest(written),
            labels=pixels_digest(label),
            png=hashlib.sha256(png).hexdigest(),
            xml=hashlib.sha256(xml).hexdigest(),
            mask="" if mask is None else pixels_digest(mask),
        )
        return Derived(record, repairs, png, xml, label, written)

    def _mask(self, image: str, size: tuple[int, int]) -> NDArray[np.uint8] | None:
        if self.reads_masks:
            return self.dataset.mask(image, size)
        if self.dataset.card.has_masks:
            self.dataset.check_mask(image, size)
        return None

    def write(self, image: str, folder: Path) -> tuple[bytes, Counter[str]]:
        """Make one image and write its two files.

        Returns:
            Its line of the manifest, and the repairs.
        """
        made = self.derive(image)
        folder.joinpath(LABELS, f"{image}.png").write_bytes(made.png)
        folder.joinpath(STROKES, f"{image}.xml").write_bytes(made.xml)
        return msgspec.json.encode(made.record), made.repairs


def _whole(
    source: Annotation, strokes: Strokes
) -> tuple[Annotation, dict[str, list[tuple[int, float, float]]]]:
    """Round strokes as they are written, and list the exact values that rounding changed."""
    exact = {}
    written = []
    for position, stroke in enumerate(strokes.values()):
        whole, points = rounded(stroke.points)
        written.append(Stroke(stroke.class_index, whole))
        if changed := _changed(whole, points):
            exact[str(position)] = changed
    return Annotation(source.image, source.width, source.height, tuple(written)), exact


def _changed(whole: Points, exact: Points) -> list[tuple[int, float, float]]:
    rows = np.flatnonzero((whole != exact).any(axis=1)).tolist()
    return [(i, float(exact[i, 0]), float(exact[i, 1])) for i in rows]
