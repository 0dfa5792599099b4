"""Strokes to a label map."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.pen import Ints, Pen, dot, segments
from scribblebench.scribbles.repair import clip
from scribblebench.scribbles.stroke import Annotation, Points

IGNORE = 255
_PEN = Pen()


def draw(annotation: Annotation, pen: Pen = _PEN, ignore_index: int = IGNORE) -> NDArray[np.uint8]:
    """Draw the strokes of an image.

    Args:
        annotation: the strokes; what lies outside the image is cut off.
        pen: how.
        ignore_index: label of the other pixels.

    Returns:
        uint8 (height, width).

    >>> from scribblebench.scribbles.stroke import Stroke
    >>> stroke = Stroke(1, np.array([[2.0, 1.0]]))
    >>> draw(Annotation("a", width=5, height=3, strokes=(stroke,)), ignore_index=0)
    array([[0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0]], dtype=uint8)
    """
    # Strokes are cut where the pen no longer reaches the image, and a margin around the canvas takes what
    # the pen spills from there, so that no pixel needs a test.
    reach = math.ceil(pen.width / 2) + 2
    margin = 2 * reach
    width, height = annotation.width + 2 * margin, annotation.height + 2 * margin
    canvas = np.full(height * width, ignore_index, dtype=np.uint8)
    corner = np.array([width - 1 - 2 * reach, height - 1 - 2 * reach], dtype=np.float64)
    for stroke in annotation.strokes:
        points = stroke.points + (reach - pen.base)
        pieces = [points] if ((points >= 0) & (points <= corner)).all() else clip(points, corner)
        for piece in pieces:
            canvas[_pixels(piece + reach, pen, width)] = stroke.class_index
    return np.ascontiguousarray(canvas.reshape(height, width)[margin:-margin, margin:-margin])


def _pixels(points: Points, pen: Pen, stride: int) -> Ints:
    """Flat indices of a stroke's pixels in a canvas whose rows are ``stride`` long."""
    if len(points) == 1:
        x, y = dot(points[0], pen)
        return x + y * stride
    whole = points.astype(np.int64)
    if not np.array_equal(whole, points):
        x, y = segments(points[:-1], points[1:], pen)
        return x + y * stride
    stamps = [_stamp(dx, dy, pen) for dx, dy in (whole[1:] - whole[:-1]).tolist()]
    offsets = np.concatenate(stamps, axis=1)
    starts = whole[:-1, 0] + whole[:-1, 1] * stride
    shifts = offsets[0] + offsets[1] * stride
    return np.asarray(np.repeat(starts, [stamp.shape[1] for stamp in stamps]) + shifts, dtype=np.int64)


@lru_cache(maxsize=4096)
def _stamp(dx: int, dy: int, pen: Pen) -> Ints:
    """Pixels of a segment from the origin, (2, n). Most segments are short, so few are different."""
    return np.stack(segments(np.zeros((1, 2)), np.array([[dx, dy]], dtype=np.float64), pen))
