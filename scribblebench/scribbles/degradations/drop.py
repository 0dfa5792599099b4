"""Scribble-drop: every object loses all its strokes with a given probability (RW-SS, Section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.objects import group_objects
from scribblebench.scribbles.stroke import Stroke

_BACKGROUND = 0


@DEGRADATIONS.register
class Drop(Degradation, frozen=True):
    """Each object loses all its strokes with probability R.

    Attributes:
        unit: what is dropped as one: the strokes of an object (of a class on one connected component of
            its mask; each stroke where there are no masks), each stroke, or all strokes of a class.
        droppable: ``objects`` never drops background strokes, ``all`` does.
    """

    unit: Annotated[Literal["object", "stroke", "class"], Meta(description="What is dropped as one.")] = (
        "object"
    )
    droppable: Annotated[
        Literal["objects", "all"], Meta(description="Whether background strokes may be dropped.")
    ] = "objects"

    def needs_masks(self) -> bool:
        """Objects are connected components of the mask."""
        return self.unit == "object"

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Keep the strokes of the objects whose draw is not below ``rate``."""
        units = self._units(strokes, scene)
        return {i: s for i, s in strokes.items() if not self._lost(units[i], s, rate, seed, scene.image)}

    def _units(self, strokes: Mapping[int, Stroke], scene: Scene) -> dict[int, int]:
        if self.unit == "class":
            return {i: s.class_index for i, s in strokes.items()}
        if self.unit == "stroke" or scene.mask is None:
            return {i: i for i in strokes}
        return group_objects(strokes, scene.mask)

    def _lost(self, unit: int, stroke: Stroke, rate: float, seed: int, image: str) -> bool:
        if stroke.class_index == _BACKGROUND and self.droppable == "objects":
            return False
        name = "class" if self.unit == "class" else "stroke"
        return uniform("drop", seed, image, name, unit) < rate
