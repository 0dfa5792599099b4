"""Marks: what cheaper annotation than strokes leaves on an image: a tag, a click or a box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.stroke import Points


@dataclass(frozen=True, eq=False)
class Mark:
    """One mark of one class.

    Attributes:
        class_index: index of the class in the dataset card; never the background.
        points: float64 (n, 2), x and y in pixels. A tag has none and a click one; a box has two, the centres
            of its upper left and its lower right pixel.
    """

    class_index: int
    points: Points


Marks = dict[int, Mark]
"""Marks by their index in the source: a draw is named by it, whatever was dropped before."""


def tag(class_index: int) -> Mark:
    """Return the mark that says no more than that a class is there."""
    return Mark(class_index, np.empty((0, 2)))


def box(class_index: int, left: float, top: float, right: float, bottom: float) -> Mark:
    """Return a box, its sides being the first and the last column and row of pixels."""
    return Mark(class_index, np.array([[left, top], [right, bottom]], dtype=np.float64))


def window(mark: Mark) -> tuple[slice, slice]:
    """Rows and columns of a box's pixels.

    >>> window(box(1, left=2, top=0.6, right=4, bottom=3.4))
    (slice(1, 4, None), slice(2, 5, None))
    """
    (left, top), (right, bottom) = np.floor(mark.points + 0.5).astype(int).tolist()
    return slice(top, bottom + 1), slice(left, right + 1)


def area(mark: Mark) -> int:
    """Count a box's pixels.

    >>> area(box(1, 2, 0, 4, 3))
    12
    """
    rows, columns = window(mark)
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def box_around(inside: NDArray[np.bool_], class_index: int) -> Mark:
    """Return the smallest box around some pixels, of which there is at least one.

    >>> box_around(np.array([[False, False, False], [False, True, True]]), 1).points
    array([[1., 1.],
           [2., 1.]])
    """
    (rows,) = np.nonzero(inside.any(axis=1))
    (columns,) = np.nonzero(inside.any(axis=0))
    return box(class_index, columns[0], rows[0], columns[-1], rows[-1])
