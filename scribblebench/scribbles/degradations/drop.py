"""Scribble-drop: every object loses all its strokes with a given probability (RW-SS, Section 4.3).

Clicks, boxes and tags are lost likewise: each stands for one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.mark import Mark, Marks
from scribblebench.scribbles.objects import group_objects
from scribblebench.scribbles.stroke import Stroke

_BACKGROUND = 0


@DEGRADATIONS.register
class Drop(Degradation, frozen=True):
    """Each object loses all its strokes, its click, its box or its tag with probability R.

    Attributes:
        unit: what is dropped as one: the strokes of an object (of a class on one connected component of
            its mask; each stroke where there are no masks), each stroke, or all strokes of a class.
        droppable: ``objects`` never drops background strokes, ``all`` does.
    """

    acts_on: ClassVar[frozenset[str]] = frozenset({"strokes", "points", "boxes", "tags"})

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

    def marks(self, marks: Mapping[int, Mark], rate: float, seed: int, scene: Scene) -> Marks:
        """Keep the marks whose draw is not below ``rate``; with ``unit: class`` those of a class have one."""
        by_class = self.unit == "class"
        draws = {
            i: uniform("drop", seed, scene.image, *(("class", m.class_index) if by_class else ("mark", i)))
            for i, m in marks.items()
        }
        return {i: m for i, m in marks.items() if draws[i] >= rate}

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
