"""Strokes and annotations: what a person drew on one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stroke:
    """One stroke of one class.

    Attributes:
        class_index: index of the class in the dataset card.
        points: float64 (n, 2), x and y in pixels, in the order in which they were drawn; n >= 1.
    """

    class_index: int
    points: Points


@dataclass(frozen=True, eq=False)
class Annotation:
    """The strokes of one image.

    Attributes:
        image: the image's id, such as ``2007_000032``.
        width: image width in pixels.
        height: image height in pixels.
        strokes: in the order of the file; a later stroke is drawn over an earlier one.
    """

    image: str
    width: int
    height: int
    strokes: tuple[Stroke, ...]


def same(one: Annotation, other: Annotation) -> bool:
    """Tell whether two annotations are equal, points included."""
    return (
        (one.image, one.width, one.height) == (other.image, other.width, other.height)
        and len(one.strokes) == len(other.strokes)
        and all(
            a.class_index == b.class_index and np.array_equal(a.points, b.points)
            for a, b in zip(one.strokes, other.strokes, strict=True)
        )
    )
