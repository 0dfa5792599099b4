"""Mend what an annotation file may hold wrongly, and count it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.stroke import Annotation, Points, Stroke

# Pixels from the corner: a coordinate beyond it is damage, not a stroke that runs off.
FARTHEST = 1e9
EMPTY = "strokes without a point, left out"
OUTSIDE = "points outside the image, cut off"
DUPLICATE = "points repeated in a row, merged"
ZERO = "strokes of length zero, made one point"
SINGLE = "strokes of a single point, kept"
NAMED = "files that name another image as their own, read all the same"


def repair(
    image: str, width: int, height: int, raw: Iterable[tuple[int, Points]]
) -> tuple[Annotation, Counter[str]]:
    """Turn what was read into proper strokes.

    Args:
        image: the id.
        width: in pixels.
        height: in pixels.
        raw: class and points (n, 2), n >= 0, finite, of each stroke in the file.

    Returns:
        The annotation, every point inside ``[0, width - 1] x [0, height - 1]`` and no point repeated in a
        row; and how often each kind of repair was needed.
    """
    strokes = [Stroke(class_index, points) for class_index, points in raw]
    if not _needs_repair(strokes, width, height):
        single = sum(len(stroke.points) == 1 for stroke in strokes)
        return Annotation(image, width, height, tuple(strokes)), +Counter({SINGLE: single})
    mended: list[Stroke] = []
    repairs: Counter[str] = Counter()
    for stroke in strokes:
        if not len(stroke.points):
            repairs[EMPTY] += 1
            continue
        pieces = _cut_to_frame(stroke.points, width, height, repairs)
        mended += [Stroke(stroke.class_index, _merge(piece, repairs)) for piece in pieces]
    return Annotation(image, width, height, tuple(mended)), repairs


def _needs_repair(strokes: list[Stroke], width: int, height: int) -> bool:
    """Look at all strokes at once: nearly every image is in order."""
    counts = [len(stroke.points) for stroke in strokes]
    if not all(counts):
        return True
    if not counts:
        return False
    points = np.concatenate([stroke.points for stroke in strokes])
    if points.min() < 0 or (points.max(axis=0) > (width - 1, height - 1)).any():
        return True
    x, y = points.T
    repeated = (x[1:] == x[:-1]) & (y[1:] == y[:-1])
    repeated[np.cumsum(counts)[:-1] - 1] = False  # from one stroke to the next
    return bool(repeated.any())


def _merge(points: Points, repairs: Counter[str]) -> Points:
    if len(points) == 1:
        repairs[SINGLE] += 1
        return points
    new = (points[1:] != points[:-1]).any(axis=1)
    if new.all():
        return points
    if not new.any():
        repairs[ZERO] += 1
        return points[:1]
    repairs[DUPLICATE] += int(np.count_nonzero(~new))
    return points[np.concatenate(([True], new))]


def _cut_to_frame(points: Points, width: int, height: int, repairs: Counter[str]) -> list[Points]:
    corner = np.array([width - 1, height - 1], dtype=np.float64)
    outside = ((points < 0) | (points > corner)).any(axis=1)
    count = int(np.count_nonzero(outside))
    if not count:
        return [points]
    repairs[OUTSIDE] += count
    return clip(points, corner)


def clip(points: Points, corner: NDArray[np.float64]) -> list[Points]:
    """Cut a polyline at the frame ``[0, 0] .. corner``; the pieces inside it, in order.

    >>> clip(np.array([[-1.0, 0.0], [1.0, 0.0], [1.0, 9.0]]), np.array([4.0, 4.0]))
    [array([[0., 0.], [1., 0.], [1., 4.]])]
    """
    if len(points) == 1:
        return [points] if ((points >= 0) & (points <= corner)).all() else []
    pieces: list[list[Points]] = []
    joined = False
    for a, b in pairwise(points):
        part = _clip_segment(a, b, corner)
        if part is None:
            joined = False
            continue
        enters, leaves = part
        if joined:
            pieces[-1].append(leaves)
        else:
            pieces.append([enters, leaves])
        joined = bool((leaves == b).all())
    return [np.array(piece) for piece in pieces]


def _clip_segment(a: Points, b: Points, corner: NDArray[np.float64]) -> tuple[Points, Points] | None:
    """Liang and Barsky's clipping of one segment; None where it misses the frame."""
    d = b - a
    start, stop = 0.0, 1.0
    for axis in (0, 1):
        low, high = -a[axis], corner[axis] - a[axis]
        if d[axis] == 0:
            if low > 0 or high < 0:
                return None
            continue
        one, other = low / d[axis], high / d[axis]
        start, stop = max(start, min(one, other)), min(stop, max(one, other))
    if start > stop:
        return None
    enters = a if start == 0 else np.clip(a + d * start, 0, corner)
    leaves = b if stop == 1 else np.clip(a + d * stop, 0, corner)
    return enters, leaves
