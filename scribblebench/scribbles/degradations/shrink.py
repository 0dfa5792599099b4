"""Scribble-shrink: every stroke keeps a part of its arc length (RW-SS, Section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.polyline import arc_lengths, between
from scribblebench.scribbles.stroke import Points, Stroke


def shrink(points: Points, rate: float, anchor: float) -> Points:
    """Keep the part of a stroke around ``anchor`` that is ``1 - rate`` of its arc length.

    The kept part is the image of the whole stroke under a scaling of its arc length about the anchor, so
    a larger rate keeps a part of what a smaller one keeps.

    Args:
        points: (n, 2).
        rate: 0 keeps all, 1 one point.
        anchor: position of the fixed point, as a share of the arc length.

    >>> import numpy as np
    >>> shrink(np.array([[0.0, 0.0], [10.0, 0.0]]), rate=0.5, anchor=0.2)
    array([[1., 0.], [6., 0.]])
    >>> shrink(np.array([[0.0, 0.0], [10.0, 0.0]]), rate=1.0, anchor=0.5)
    array([[5., 0.]])
    """
    if rate == 0 or len(points) == 1:
        return points
    lengths = arc_lengths(points)
    total = float(lengths[-1])
    start = anchor * rate * total
    stop = start if rate == 1 else start + (1 - rate) * total
    return between(points, start, stop, lengths)


@DEGRADATIONS.register
class Shrink(Degradation, frozen=True):
    """Each stroke keeps 1 - R of its arc length; at R = 1 it is one point.

    Attributes:
        keep: where the kept part sits: around a random point of the stroke, or around its middle.
    """

    keep: Annotated[
        Literal["random", "centre"], Meta(description="Which part of a shrunk stroke is kept.")
    ] = "random"

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Shrink every stroke around its own anchor."""
        return {
            i: Stroke(s.class_index, shrink(s.points, rate, self.anchor(seed, scene.image, i)))
            for i, s in strokes.items()
        }

    def anchor(self, seed: int, image: str, index: int) -> float:
        """Return the anchor of one stroke, the same at every rate."""
        return 0.5 if self.keep == "centre" else uniform("shrink", seed, image, index)
