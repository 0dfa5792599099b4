"""Strokes traced from label maps, against the strokes that the maps were drawn from.

    python benchmarks/trace.py --data-dir VOC2012 --count 400 [--human HUMAN]

Every image's strokes are drawn (3 pixels wide), traced and drawn again. ``covered`` is the share of labelled
pixels with one of the same class within 2 pixels in the second drawing; ``added`` the pixels of the second
drawing that the first does not label so, over all labelled ones; each as the mean and the worst image. For
``crossing`` the strokes of two images are drawn together as one class, so that they touch and cross.
``--human`` is a folder in VOC layout with human label PNGs, whose strokes nobody has.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scribblebench.core.library import Library
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.stroke import Annotation, Stroke
from scribblebench.scribbles.trace import trace
from scribblebench.sources.folder import open_dataset

Labels = NDArray[np.uint8]


@dataclass
class Score:
    """How well strokes were found again, a number an image."""

    covered: list[float] = field(default_factory=list)
    added: list[float] = field(default_factory=list)
    surplus: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, labels: Labels, drawn: int | None = None) -> None:
        """Trace one label map; ``drawn`` is the number of strokes it was drawn from."""
        start = time.process_time()
        strokes = trace(labels)
        self.seconds.append(time.process_time() - start)
        again = draw(Annotation("", labels.shape[1], labels.shape[0], strokes))
        size = np.count_nonzero(labels != 255)
        self.covered.append(covered(labels, again) / size)
        self.added.append(np.count_nonzero((again != 255) & (again != labels)) / size)
        if drawn is not None:
            self.surplus.append(len(strokes) - drawn)

    def report(self, name: str) -> None:
        """Print one line."""
        line = (
            f"{name:9} images={len(self.covered)} "
            f"covered={np.mean(self.covered):.4f} worst={min(self.covered):.4f} "
            f"added={np.mean(self.added):.4f} worst={max(self.added):.4f}"
        )
        if self.surplus:
            off = np.abs(self.surplus)
            line += f" same_number={np.mean(off == 0):.4f} mean_absolute_difference={np.mean(off):.3f}"
        print(f"{line} seconds={np.mean(self.seconds):.4f}")


def covered(labels: Labels, again: Labels) -> int:
    """Count the labelled pixels that have one of their class within 2 pixels in the other map."""
    count = 0
    for value in set(np.unique(labels).tolist()) & set(np.unique(again).tolist()) - {255}:
        near = ndimage.distance_transform_edt(again != value) <= 2
        count += int(np.count_nonzero(near & (labels == value)))
    return count


def touching(annotation: Annotation) -> bool:
    """Tell whether a stroke comes in parts, overlaps another, or is next to one of its own class."""
    alone = [
        draw(Annotation("", annotation.width, annotation.height, (Stroke(s.class_index, s.points),))) != 255
        for s in annotation.strokes
    ]
    square = np.ones((3, 3), bool)
    if any(ndimage.label(one, square)[1] != 1 for one in alone):
        return True
    classes = [s.class_index for s in annotation.strokes]
    for i, one in enumerate(alone):
        wide = ndimage.binary_dilation(one, square)
        for j in range(i):
            if np.any(alone[j] & (wide if classes[i] == classes[j] else one)):
                return True
    return False


def together(one: Annotation, other: Annotation) -> Annotation:
    """Put the strokes of two images on one sheet, all of one class."""
    strokes = tuple(Stroke(1, s.points) for s in (*one.strokes, *other.strokes))
    return Annotation("", max(one.width, other.width), max(one.height, other.height), strokes)


def measure(annotations: Sequence[Annotation]) -> None:
    """Score the strokes of a dataset: apart, touching, and two images on one sheet."""
    scores = {"apart": Score(), "touching": Score(), "crossing": Score()}
    for annotation in annotations:
        scores["touching" if touching(annotation) else "apart"].add(draw(annotation), len(annotation.strokes))
    for one, other in zip(annotations[::2], annotations[1::2], strict=False):
        sheet = together(one, other)
        if touching(sheet):
            scores["crossing"].add(draw(sheet), len(sheet.strokes))
    for name, score in scores.items():
        if score.covered:
            score.report(name)


def measure_human(paths: Iterable[Path]) -> None:
    """Score human label maps."""
    score = Score()
    for path in paths:
        score.add(read_labels(path))
    score.report("human")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--human", type=Path)
    options = parser.parse_args()
    card = Library().dataset("voc2012")
    source = open_dataset(card, options.data_dir, "xml")
    ids = source.ids("train")
    measure([source.annotation(i) for i in ids[:: max(1, len(ids) // options.count)][: options.count]])
    if options.human:
        measure_human(sorted((options.human / card.layout.labels).glob("*.png")))


if __name__ == "__main__":
    main()
