"""Which strokes lie on the same object: a connected component of their class in the dense mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.components import Parts
from scribblebench.scribbles.stroke import Stroke

# People run off their object with 2-7 % of their points; fewer than this share on a further component is
# a slip of the hand, and does not join it.
_JOINS = 0.1


def group_objects(strokes: Mapping[int, Stroke], mask: NDArray[np.uint8]) -> dict[int, int]:
    """Name each stroke's object by the lowest index among the object's strokes.

    A stroke lies on the 8-connected component of its class under most of its points, and on every other
    that holds at least a tenth of them. Strokes that share a component, directly or through others, are
    one object. A stroke with no point on its class is an object of its own.

    Args:
        strokes: by their index in the source.
        mask: dense labels (height, width).
    """
    names = {i: i for i in strokes}
    owner: dict[tuple[int, int], int] = {}
    parts = Parts(mask, {s.class_index for s in strokes.values()})
    for i, stroke in sorted(strokes.items()):
        for part in _under(stroke, parts, mask.shape):
            first = owner.setdefault((stroke.class_index, part), i)
            _join(names, _root(names, first), _root(names, i))
    return {i: _root(names, i) for i in strokes}


def _under(stroke: Stroke, parts: Parts, shape: tuple[int, ...]) -> list[int]:
    height, width = shape
    x, y = np.floor(stroke.points + 0.5).astype(np.int64).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = parts.at(stroke.class_index, x[inside], y[inside])
    counts = np.bincount(found[found >= 0])
    if not len(counts):
        return []
    enough = (counts >= _JOINS * len(stroke.points)) & (counts > 0)
    enough[np.argmax(counts)] = True
    return [int(c) for c in np.flatnonzero(enough)]


def _root(names: dict[int, int], i: int) -> int:
    while names[i] != i:
        i = names[i]
    return i


def _join(names: dict[int, int], one: int, other: int) -> None:
    names[max(one, other)] = min(one, other)
