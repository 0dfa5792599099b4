"""Polylines by arc length. Only additions, products and square roots: the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.stroke import Points


def arc_lengths(points: Points) -> NDArray[np.float64]:
    """Arc length from the first point to each point.

    Args:
        points: (n, 2), n >= 1.

    Returns:
        (n,), starting at 0.

    >>> arc_lengths(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 10.0]]))
    array([ 0.,  5., 11.])
    """
    steps = points[1:] - points[:-1]
    # cumsum adds in order; np.sum and np.hypot may differ between numpy builds in the last bit.
    lengths = np.sqrt(steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1])
    return np.concatenate(([0.0], np.cumsum(lengths)))


def at(points: Points, lengths: NDArray[np.float64], where: float) -> Points:
    """Return the point at arc length ``where`` as (1, 2), interpolated on its segment."""
    i = int(np.searchsorted(lengths, where, side="right")) - 1
    i = min(max(i, 0), len(points) - 2)
    span = lengths[i + 1] - lengths[i]
    share = (where - lengths[i]) / span if span else 0.0
    point: Points = points[i] + (points[i + 1] - points[i]) * min(max(share, 0.0), 1.0)
    return point[None]


def between(points: Points, start: float, stop: float, lengths: NDArray[np.float64] | None = None) -> Points:
    """Cut a polyline at two arc lengths, both cut points interpolated.

    Args:
        points: (n, 2), n >= 1.
        start: arc length of the first point kept, in pixels.
        stop: arc length of the last; ``stop <= start`` gives one point.
        lengths: ``arc_lengths(points)``, where it is already known.

    >>> between(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]), 1.0, 6.0)
    array([[1., 0.], [4., 0.], [4., 2.]])
    """
    lengths = arc_lengths(points) if lengths is None else lengths
    if len(points) == 1:
        return points
    if stop <= start:
        return at(points, lengths, start)
    first = np.searchsorted(lengths, start, side="right")
    inside = points[first : np.searchsorted(lengths, stop, side="left")]
    return np.concatenate((at(points, lengths, start), inside, at(points, lengths, stop)))


def with_points_every(points: Points, spacing: float) -> Points:
    """Add points to a polyline so that none are further than ``spacing`` apart; its shape stays.

    >>> with_points_every(np.array([[0.0, 0.0], [5.0, 0.0], [6.0, 0.0]]), 2.5)[:, 0]
    array([0. , 2.5, 5. , 6. ])
    """
    if len(points) == 1:
        return points
    spans = np.diff(arc_lengths(points))
    pieces = np.maximum(np.ceil(spans / spacing), 1).astype(np.int64)
    start, step = np.repeat(points[:-1], pieces, axis=0), np.repeat(points[1:] - points[:-1], pieces, axis=0)
    number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = number / np.repeat(pieces, pieces)
    return np.concatenate((start + step * share[:, None], points[-1:]))


def simplified(points: Points, tolerance: float) -> Points:
    """Keep as few points as stand for a polyline's shape, by Douglas and Peucker's way of choosing them.

    scikit-image's ``approximate_polygon`` gives the same ones and takes five times as long.

    Args:
        points: (n, 2), n >= 1.
        tolerance: largest distance of a point that is left out from the line that stands for it, in pixels.

    >>> simplified(np.array([[0.0, 0.0], [1.0, 0.1], [2.0, 0.0], [2.0, 3.0]]), 0.3)
    array([[0., 0.],
           [2., 0.],
           [2., 3.]])
    """
    x, y = np.ascontiguousarray(points.T)
    keep, parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        inside, origin, end = slice(first + 1, last), points[first].tolist(), points[last].tolist()
        way = (end[0] - origin[0], end[1] - origin[1])
        away, scale = _away(x[inside] - origin[0], y[inside] - origin[1], way)
        furthest = int(away.argmax())
        if away[furthest] > tolerance * tolerance * scale:
            middle = first + 1 + furthest
            keep.add(middle)
            parts += [(first, middle), (middle, last)]
    return points[sorted(keep)]


def _away(
    x: NDArray[np.float64], y: NDArray[np.float64], way: tuple[float, float]
) -> tuple[NDArray[np.float64], float]:
    """Squared distances of points from the line from 0 to ``way``, times a number, and the number."""
    squared = way[0] * way[0] + way[1] * way[1]
    if squared == 0.0:
        return x * x + y * y, 1.0
    along, across = x * way[0] + y * way[1], x * way[1] - y * way[0]
    along -= np.minimum(np.maximum(along, 0.0), squared)
    return across * across + along * along, squared
