"""Thin strokes: a finer pen."""

from __future__ import annotations

import msgspec

from scribblebench.scribbles.degradation import Degradation
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.pen import Pen


@DEGRADATIONS.register
class Thin(Degradation, frozen=True):
    """The pen loses R of what it has beyond one pixel: at R = 1 it is one pixel wide."""

    def pen(self, pen: Pen, rate: float) -> Pen:
        """Narrow the pen. What a narrow pen labels, a wider one labels too."""
        return msgspec.structs.replace(pen, width=pen.width - rate * (pen.width - 1))
