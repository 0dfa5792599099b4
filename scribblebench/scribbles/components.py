"""Connected components of a label map: each cut out, or named by a pixel of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from scribblebench.scribbles.stroke import Points

_BORDER = 2
"""Pixels by which a label map is continued beyond its border."""


@dataclass(frozen=True, eq=False)
class Component:
    """Connected pixels of one class, with a rim of one pixel around them.

    Attributes:
        class_index: their class.
        pixels: bool (h, w). Where the image ends, the component is continued a little: its border is no edge.
        visible: bool (h, w), which of them lie in the image.
        origin: x and y of the cut-out's first pixel in the image.
        first: x and y of the component's first pixel in the image; other components cannot change it.
    """

    class_index: int
    pixels: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    origin: Points
    first: tuple[int, int]


def components(label_map: NDArray[np.uint8], ignore_index: int, min_area: int = 1) -> list[Component]:
    """Cut out the 8-connected components of all classes.

    All at once, by their runs: labelling the pixels class by class takes five times as long.

    Args:
        label_map: uint8 (h, w).
        ignore_index: the value of pixels without a label.
        min_area: smaller components are left out, in pixels.

    Returns:
        Components ordered by class, then by their first pixel.

    >>> drawn = np.full((4, 9), 255, np.uint8)
    >>> drawn[1, 6:] = drawn[2, 1:3] = 3
    >>> [(c.class_index, c.first, int(c.visible.sum())) for c in components(drawn, 255)]
    [(3, (6, 1), 3), (3, (1, 2), 2)]
    """
    runs = _runs(np.pad(label_map, _BORDER, mode="edge"), np.arange(256) != ignore_index)
    if not len(runs.start):
        return []
    numbers = _numbers(runs)
    order = np.argsort(numbers, kind="stable")
    firsts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    found = []
    for some in np.split(order, firsts[1:]):
        if np.sum(runs.stop[some] - runs.start[some]) < min_area:
            continue
        component = _cut_out(runs, some, label_map.shape)
        if np.count_nonzero(component.visible) >= min_area:
            found.append(component)
    return sorted(found, key=lambda component: component.class_index)


class Parts:
    """Which component of its class a pixel belongs to, for some of a label map's classes.

    >>> drawn = np.array([[1, 0, 1, 1], [1, 0, 0, 0], [0, 1, 2, 2]], np.uint8)
    >>> parts = Parts(drawn, [1, 2])
    >>> parts.at(1, np.array([0, 1, 3, 3]), np.array([1, 2, 0, 2]))  # the last pixel is of class 2
    array([ 0,  0,  1, -1])
    """

    def __init__(self, label_map: NDArray[np.uint8], classes: Iterable[int]) -> None:
        """Find the 8-connected components.

        Args:
            label_map: uint8 (h, w).
            classes: those whose components are asked for.
        """
        self._width = label_map.shape[1]
        self._runs = _runs(label_map, np.isin(np.arange(256), list(classes)))
        self._numbers = _numbers(self._runs)

    def at(self, class_index: int, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number the components under pixels (n,) inside the label map; -1 where none of that class is.

        No two components of a class have one number.
        """
        if not len(self._numbers):
            return np.full(x.shape, -1)
        runs = self._runs
        first = runs.row * self._width + runs.start
        run = np.searchsorted(first, y * self._width + x, side="right") - 1
        there = (run >= 0) & (runs.row[run] == y) & (x < runs.stop[run])
        return np.where(there & (runs.class_index[run] == class_index), self._numbers[run], -1)


class _Runs(NamedTuple):
    """Pixels of one class side by side in a row, in the order of rows and columns.

    A few hundred of them make a mask of a hundred thousand pixels.

    Attributes:
        class_index: their class, (n,).
        row: (n,).
        start: the first column, (n,).
        stop: the column behind the last, (n,).
    """

    class_index: NDArray[np.uint8]
    row: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


def _runs(label_map: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> _Runs:
    """Find the runs of those of the 256 values that are wanted."""
    width = label_map.shape[1]
    begins = np.ones(label_map.shape, dtype=bool)
    np.not_equal(label_map[:, 1:], label_map[:, :-1], out=begins[:, 1:])
    start = np.flatnonzero(begins)
    stop = np.append(start[1:], label_map.size)
    values = label_map.ravel()[start]
    kept = wanted[values]
    row, column = np.divmod(start[kept], width)
    return _Runs(values[kept], row, column, stop[kept] - row * width)


def _numbers(runs: _Runs) -> NDArray[np.int64]:
    """Number the component that each run belongs to."""
    count = len(runs.start)
    if not count:
        return np.empty(0, dtype=np.int64)
    # With a gap between rows, a column and its row are one number, and no run touches one of another row.
    gap = int(runs.stop.max()) + 2
    start, stop = runs.row * gap + runs.start, runs.row * gap + runs.stop
    # Those of the next row that share a column with a run, or have one beside one of its.
    first, behind = np.searchsorted(stop, start + gap), np.searchsorted(start, stop + gap, side="right")
    number = behind - first
    one = np.repeat(np.arange(count), number)
    other = np.arange(number.sum()) + np.repeat(first - (np.cumsum(number) - number), number)
    touch = runs.class_index[one] == runs.class_index[other]
    links = coo_array((np.ones(touch.sum(), bool), (one[touch], other[touch])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _cut_out(runs: _Runs, some: NDArray[np.int64], shape: tuple[int, ...]) -> Component:
    height, width = shape
    row, start, stop = runs.row[some], runs.start[some], runs.stop[some]
    y, x = int(row[0]) - 1, int(start.min()) - 1
    tall, wide = int(row[-1]) - y + 2, int(stop.max()) - x + 1
    # Ups and downs along the rows; the rim keeps a run's end from the next one's start.
    steps = np.zeros(tall * wide, dtype=np.int8)
    steps[(row - y) * wide + start - x] = 1
    steps[(row - y) * wide + stop - x] = -1
    pixels = np.cumsum(steps, dtype=np.int8).reshape(tall, wide).view(bool)
    x, y = x - _BORDER, y - _BORDER
    visible = pixels.copy()
    visible[: max(-y, 0)] = visible[max(height - y, 0) :] = False
    visible[:, : max(-x, 0)] = visible[:, max(width - x, 0) :] = False
    down, right = divmod(int(visible.argmax()), wide)
    value = int(runs.class_index[some[0]])
    return Component(value, pixels, visible, np.array([x, y], float), (x + right, y + down))
