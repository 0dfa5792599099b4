"""Whether strokes fit their pictures: a sample of them is held against the frame and the dense masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError
from scribblebench.core.seeds import uniform
from scribblebench.scribbles.repair import NAMED, OUTSIDE
from scribblebench.scribbles.stroke import Annotation, Stroke
from scribblebench.sources.folder import DatasetFolder

# Images of the sample: it is read at every start.
SAMPLE = 24
# A person's strokes run off the frame, or off their object, now and then; more than this is a mistake.
MOST_OUTSIDE = 0.05
LEAST_ON_CLASS = 0.75

Read = Mapping[str, tuple[Annotation, Counter[str]]]


def misfits(dataset: DatasetFolder, images: Iterable[str]) -> Iterator[str]:
    """Say in what strokes do not fit their pictures, a line each. It may be meant, so nothing is refused.

    Args:
        dataset: the folder.
        images: ids of a split whose strokes are in order.
    """
    if dataset.strokes == "masks":  # strokes that are made from the masks fit them
        return
    sample = sorted(images, key=lambda image: uniform("misfits", image))[:SAMPLE]
    read = {image: dataset.read(image) for image in sample}
    yield from _named(read)
    yield from _outside(read)
    yield from _in_a_corner(read)
    if dataset.card.has_masks:
        yield from _on_another_class(dataset, read)


def _named(read: Read) -> Iterator[str]:
    others = [image for image, (_, repairs) in read.items() if repairs[NAMED]]
    if others:
        yield (
            f"{len(others)} of {len(read)} annotation files looked at name another image as their own, such "
            f"as that of {others[0]}"
        )


def _outside(read: Read) -> Iterator[str]:
    outside = sum(repairs[OUTSIDE] for _, repairs in read.values())
    points = outside + sum(len(stroke.points) for found, _ in read.values() for stroke in found.strokes)
    if outside > MOST_OUTSIDE * points:
        worst = max(read, key=lambda image: read[image][1][OUTSIDE])
        yield (
            f"{outside / points:.0%} of the strokes' points lie outside their photographs, such as on "
            f"{worst}; perhaps they were drawn on pictures of another size"
        )


def _in_a_corner(read: Read) -> Iterator[str]:
    points = [stroke.points for found, _ in read.values() for stroke in found.strokes]
    if points and max(float(of_stroke.max()) for of_stroke in points) <= 1:
        yield "all strokes lie within one pixel of a corner, but coordinates are in pixels, not in shares"


def _on_another_class(dataset: DatasetFolder, read: Read) -> Iterator[str]:
    """Count strokes on objects; those of the background are right by chance."""
    strokes, astray = 0, []
    for image, (found, _) in read.items():
        mask = _mask(dataset, image)
        for stroke in found.strokes if mask is not None else ():
            under = _under(stroke, mask, dataset.card.ignore_index)
            if stroke.class_index and len(under):
                strokes += 1
                astray += [image] * bool((under == stroke.class_index).mean() < 0.5)
    if len(astray) > (1 - LEAST_ON_CLASS) * strokes:
        yield (
            f"{len(astray)} of {strokes} strokes looked at lie on another class in the dense masks, such as "
            f"on {astray[0]}; perhaps the classes are in another order, or the strokes another image's"
        )


def _mask(dataset: DatasetFolder, image: str) -> NDArray[np.uint8] | None:
    try:
        return dataset.mask(image)
    except UserError:  # whether it is needed is looked at elsewhere
        return None


def _under(stroke: Stroke, mask: NDArray[np.uint8] | None, ignore_index: int) -> NDArray[np.uint8]:
    """Return the true labels under a stroke's points, without those that are not scored."""
    if mask is None:
        return np.empty(0, dtype=np.uint8)
    x, y = np.rint(stroke.points).astype(int).T
    labels: NDArray[np.uint8] = mask[y, x]
    return np.compress(labels != ignore_index, labels)
