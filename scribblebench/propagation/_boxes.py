"""Label maps of boxes, from the largest box to the smallest, so that the smaller of two lies in front."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError
from scribblebench.propagation import Labels, Seen
from scribblebench.scribbles.mark import Mark, area, window

# Share of a box's area that SDI takes for the object in Box_i.
INNER = 0.2

Drawing = Callable[[int, Mark, Labels], Labels]
"""Number and box, and the label map behind it -> the pixels of the box as they are to be, of its shape."""


def on_background(seen: Seen, draw: Drawing) -> Labels:
    """Draw the boxes of an image on background.

    Raises:
        UserError: the label map and the picture are of different sizes.
    """
    if seen.picture.shape != (*seen.targets.labels.shape, 3):
        raise UserError(
            f"Boxes on {seen.targets.labels.shape} cannot be filled in a picture of {seen.picture.shape}: "
            "give a label map (h, w) and RGB (h, w, 3)."
        )
    labels = np.zeros_like(seen.targets.labels)
    for number, mark in sorted(enumerate(seen.targets.marks), key=lambda item: area(item[1]), reverse=True):
        labels[window(mark)] = draw(number, mark, labels[window(mark)])
    return labels


def inner(mark: Mark, share: float = INNER) -> NDArray[np.bool_]:
    """Mark the middle of a box, of its proportions and so much of its area, bool of the box's shape.

    >>> from scribblebench.scribbles.mark import box
    >>> int(inner(box(1, 0, 0, 4, 9)).sum()), int(inner(box(1, 0, 0, 0, 0)).sum())
    (8, 1)
    """
    rows, columns = window(mark)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    middle = np.zeros(shape, dtype=bool)
    kept = [max(1, round(side * math.sqrt(share))) for side in shape]
    first = [(side - keep) // 2 for side, keep in zip(shape, kept, strict=True)]
    middle[first[0] : first[0] + kept[0], first[1] : first[1] + kept[1]] = True
    return middle


def first_labels(mark: Mark, whole: bool, ignore_index: int) -> Labels:
    """Return what a box says by itself: its class everywhere, or in its middle and nothing around it."""
    middle = inner(mark)
    return np.where(middle | whole, np.uint8(mark.class_index), np.uint8(ignore_index))
