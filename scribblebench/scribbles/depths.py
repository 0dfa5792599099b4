"""How deep pixels lie in a component: their distance to the nearest pixel outside it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scribblebench.scribbles.components import Component

Field = NDArray[np.float64]

# Pixels of a cut-out from which looking at a grid takes less time than transforming all.
_LARGE = 20_000


class Depths:
    """Depths in a component, 0 outside it and beside the image.

    In a large component only the few hundred pixels of a grid are looked at: the distance transform of all
    its pixels takes five times as long.
    """

    def __init__(self, component: Component) -> None:
        self._pixels = component.pixels
        self._visible = component.visible
        self._grids: dict[int, Field] = {}

    @property
    def size(self) -> int:
        """Pixels of the cut-out."""
        return self._pixels.size

    @staticmethod
    def offset(step: int) -> int:
        """Row and column of a grid's first pixel."""
        return (step - 1) // 2

    def on_grid(self, step: int) -> Field:
        """Depths of every ``step``-th pixel of every ``step``-th row, in pixels."""
        first = self.offset(step)
        if step == 1 or self.size < _LARGE:
            return self._everywhere[first::step, first::step]
        if step not in self._grids:
            rows, columns = (np.arange(first, length, step) for length in self._pixels.shape)
            # The nearest pixel outside lies as far up or down in some column as that column's nearest.
            upright = self._upright(rows).astype(np.int32) ** 2
            across = np.subtract.outer(columns, np.arange(self._pixels.shape[1])).astype(np.int32) ** 2
            squared = np.stack([(across + row).min(axis=1) for row in upright])
            self._grids[step] = np.sqrt(squared) * self._visible[first::step, first::step]
        return self._grids[step]

    def deepest(self) -> float:
        """The largest depth of all pixels."""
        return float(self._everywhere.max())

    def count_beyond(self, depth: float) -> int:
        """Count the pixels that lie deeper than ``depth``: the disc of that radius around them is inside."""
        reach = int(depth)
        wide = np.pad(self._pixels, reach)
        height, width = self._pixels.shape
        deeper = self._visible.copy()
        for y in range(-reach, reach + 1):
            for x in range(-reach, reach + 1):
                if x * x + y * y <= depth * depth:
                    deeper &= wide[reach + y : reach + y + height, reach + x : reach + x + width]
        return int(np.count_nonzero(deeper))

    @cached_property
    def _everywhere(self) -> Field:
        depths: Field = ndimage.distance_transform_edt(self._pixels) * self._visible
        return depths

    def _upright(self, rows: NDArray[np.int64]) -> NDArray[np.int16]:
        """Pixels from each pixel of some rows to the nearest outside above or below it, (rows, w)."""
        height = len(self._pixels)
        here = np.arange(height, dtype=np.int16)[:, None]
        above = np.maximum.accumulate(np.where(self._pixels, np.int16(-height), here))[rows]
        below = np.minimum.accumulate(np.where(self._pixels, np.int16(2 * height), here)[::-1])[::-1][rows]
        return np.minimum(here[rows] - above, below - here[rows])
