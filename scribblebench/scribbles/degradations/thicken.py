"""Thick strokes: a broader pen, which runs over the borders of small objects."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from scribblebench.scribbles.degradation import Degradation
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.pen import Pen


@DEGRADATIONS.register
class Thicken(Degradation, frozen=True):
    """The pen gets wider: at R = 1 it is --thickest times as wide.

    Attributes:
        thickest: factor of the width at R = 1.
    """

    thickest: Annotated[float, Meta(ge=1, le=9, description="Factor of the width at R = 1.")] = 5.0

    def pen(self, pen: Pen, rate: float) -> Pen:
        """Widen the pen."""
        return msgspec.structs.replace(pen, width=pen.width * (1 + rate * (self.thickest - 1)))
