"""Strokes that leave their object: the hand goes on where the object ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.polyline import arc_lengths, at
from scribblebench.scribbles.stroke import Points, Stroke

# The end's direction is taken over this many pixels; the last two points alone would follow a tremor.
_LOOK_BACK = 10.0


@DEGRADATIONS.register
class Stray(Degradation, frozen=True):
    """Each stroke leaves its object with probability R: one end goes straight on.

    It goes on until it is ``reach`` pixels beyond its class in the mask (beyond its end where there are
    no masks), or at the frame.

    Attributes:
        reach: how far outside its object a stroke ends, in pixels.
    """

    reach: Annotated[
        float, Meta(ge=1, le=1000, description="How far outside its object a stroke ends, in pixels.")
    ] = 30.0

    def needs_masks(self) -> bool:
        """The mask tells where an object ends."""
        return True

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Prolong the strokes whose draw is below ``rate``."""
        return {
            i: self._prolonged(i, s, seed, scene) if uniform("stray", seed, scene.image, i) < rate else s
            for i, s in strokes.items()
        }

    def _prolonged(self, index: int, stroke: Stroke, seed: int, scene: Scene) -> Stroke:
        names = ("stray", seed, scene.image, index)
        backwards = uniform(*names, "end") < 0.5
        points = stroke.points[::-1] if backwards else stroke.points
        ahead = _heading(points) if len(points) > 1 else _random_heading(names)
        end = _outside(points[-1], ahead, stroke.class_index, self.reach, scene)
        longer = np.concatenate((points, end[None]))
        return Stroke(stroke.class_index, longer[::-1] if backwards else longer)


def _heading(points: Points) -> Points:
    """Unit vector in which a stroke ends."""
    lengths = arc_lengths(points)
    behind = at(points, lengths, max(float(lengths[-1]) - _LOOK_BACK, 0.0))[0]
    ahead: Points = points[-1] - behind
    if not ahead.any():  # it ends where it was: a loop of just this length
        ahead = points[-1] - points[-2]
    return _unit(ahead)


def _random_heading(names: tuple[str | int, ...]) -> Points:
    """Unit vector of a single point; without sines, which differ between machines."""
    for attempt in range(64):
        ahead = np.array([2 * uniform(*names, "heading", axis, attempt) - 1 for axis in ("x", "y")])
        if 0.01 < float(ahead[0] * ahead[0] + ahead[1] * ahead[1]) <= 1:
            return _unit(ahead)
    return np.array([1.0, 0.0])


def _unit(ahead: Points) -> Points:
    unit: Points = ahead / np.sqrt(ahead[0] * ahead[0] + ahead[1] * ahead[1])
    return unit


def _outside(start: Points, ahead: Points, class_index: int, reach: float, scene: Scene) -> Points:
    """Walk ahead pixel by pixel until ``reach`` pixels lie outside the object, or the frame is met."""
    corner = np.array([scene.width - 1, scene.height - 1], dtype=np.float64)
    position, left = start, reach
    while left > 0:
        step: Points = position + ahead * min(1.0, left)
        if (step < 0).any() or (step > corner).any():
            break
        position = step
        x, y = np.floor(position + 0.5).astype(np.int64)
        if scene.mask is None or scene.mask[y, x] != class_index:
            left -= 1.0
    return position
