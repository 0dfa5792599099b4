"""A shaky hand: strokes waver about the path they were meant to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.mark import Mark, Marks
from scribblebench.scribbles.polyline import arc_lengths, with_points_every
from scribblebench.scribbles.stroke import Points, Stroke


@DEGRADATIONS.register
class Jitter(Degradation, frozen=True):
    """Strokes waver by up to R times --amplitude pixels in x and in y.

    The noise is piecewise linear between independent draws every ``wavelength`` pixels of arc length. A
    larger rate moves each point further along the same direction. A click is displaced likewise, and each
    side of a box by up to R/2 of the box's extent across it, so that no side passes the opposite one.

    Attributes:
        amplitude: largest displacement at R = 1, in pixels.
        wavelength: arc length between independent displacements, in pixels.
    """

    acts_on: ClassVar[frozenset[str]] = frozenset({"strokes", "points", "boxes"})

    amplitude: Annotated[
        float, Meta(gt=0, le=100, description="Largest displacement at R = 1, in pixels.")
    ] = 10.0
    wavelength: Annotated[
        float, Meta(ge=1, le=1000, description="Arc length between independent displacements, in pixels.")
    ] = 15.0

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Displace the points of every stroke, and add points where straight parts waver."""
        if rate == 0:
            return dict(strokes)
        corner = np.array([scene.width - 1, scene.height - 1], dtype=np.float64)
        shaken = {}
        for i, stroke in strokes.items():
            points = with_points_every(stroke.points, self.wavelength)
            moved = points + rate * self.amplitude * self._noise(points, seed, scene.image, i)
            shaken[i] = Stroke(stroke.class_index, np.clip(moved, 0, corner))
        return shaken

    def marks(self, marks: Mapping[int, Mark], rate: float, seed: int, scene: Scene) -> Marks:
        """Displace clicks, and the sides of boxes; what leaves the image ends at its edge."""
        corner = np.array([scene.width - 1, scene.height - 1], dtype=np.float64)
        moved = {}
        for i, mark in marks.items():
            is_box = len(mark.points) == 2
            reach = (mark.points[1] - mark.points[0]) / 2 if is_box else self.amplitude
            draws = [
                [2 * uniform("jitter", seed, scene.image, "mark", i, k, axis) - 1 for axis in ("x", "y")]
                for k in range(len(mark.points))
            ]
            shifts = rate * reach * np.array(draws).reshape(-1, 2)
            moved[i] = Mark(mark.class_index, np.clip(mark.points + shifts, 0, corner))
        return moved

    def _noise(self, points: Points, seed: int, image: str, index: int) -> Points:
        """Noise in [-1, 1] at each point, (n, 2)."""
        position = arc_lengths(points) / self.wavelength
        knot = np.floor(position).astype(np.int64)
        draws = np.array(
            [
                [2 * uniform("jitter", seed, image, index, k, axis) - 1 for axis in ("x", "y")]
                for k in range(int(knot[-1]) + 2)
            ]
        )
        share = (position - knot)[:, None]
        noise: Points = draws[knot] * (1 - share) + draws[knot + 1] * share
        return noise
