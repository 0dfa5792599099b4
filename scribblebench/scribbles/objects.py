"""Which strokes lie on the same object: a connected component of their class in the dense mask."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
    for class_index in sorted({s.class_index for s in strokes.values()}):
        components = components_of(mask, class_index)
        for i in sorted(i for i, s in strokes.items() if s.class_index == class_index):
            for component in _under(strokes[i], components):
                first = owner.setdefault((class_index, component), i)
                _join(names, _root(names, first), _root(names, i))
    return {i: _root(names, i) for i in strokes}


def components_of(mask: NDArray[np.uint8], class_index: int) -> NDArray[np.int32]:
    """Label the 8-connected components of a class: 0 elsewhere, then 1, 2, ..."""
    labels, _ = ndimage.label(mask == class_index, structure=np.ones((3, 3), dtype=np.int8))
    return np.asarray(labels, dtype=np.int32)


def _under(stroke: Stroke, components: NDArray[np.int32]) -> list[int]:
    height, width = components.shape
    x, y = np.floor(stroke.points + 0.5).astype(np.int64).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    counts = np.bincount(components[y[inside], x[inside]])
    counts[:1] = 0
    if not counts.any():
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
