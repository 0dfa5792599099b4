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


def rounded(points: Points) -> tuple[Points, Points]:
    """Round a stroke to whole pixels, as annotation files hold it.

    Halves go up. Of consecutive points that fall on one pixel one is kept.

    Returns:
        The whole-pixel points, and the exact point that each stands for: the first of those that fell on
        its pixel, and for the last one the last, so that the exact ends of a cut stroke are kept.

    >>> rounded(np.array([[0.4, 0.0], [0.3, 0.2], [5.5, 1.0]]))
    (array([[0., 0.], [6., 1.]]), array([[0.4, 0. ], [5.5, 1. ]]))
    """
    whole = np.floor(points + 0.5)
    if len(whole) == 1:
        return whole, points
    new = np.concatenate(([True], (whole[1:] != whole[:-1]).any(axis=1)))
    if new.all():
        return whole, points
    exact = points[new]
    exact[-1] = points[-1]
    return whole[new], exact
