"""Strokes with the wrong class: the person looked away, or chose the wrong button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.stroke import Stroke


@DEGRADATIONS.register
class Mislabel(Degradation, frozen=True):
    """Each stroke has a wrong class with probability R, the same wrong one at every rate.

    Attributes:
        wrong: the wrong class is any other of the ``dataset``, or one that is drawn in the same ``image``
            (where there is no other, the stroke keeps its class).
    """

    wrong: Annotated[
        Literal["dataset", "image"], Meta(description="Where the wrong class is taken from.")
    ] = "dataset"

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Give the strokes whose draw is below ``rate`` another class."""
        drawn = {s.class_index for s in strokes.values()}
        candidates = sorted(drawn) if self.wrong == "image" else list(range(scene.classes))
        return {
            i: self._mistaken(i, s, candidates, seed, scene.image)
            if uniform("mislabel", seed, scene.image, i) < rate
            else s
            for i, s in strokes.items()
        }

    def _mistaken(self, index: int, stroke: Stroke, candidates: list[int], seed: int, image: str) -> Stroke:
        others = [c for c in candidates if c != stroke.class_index]
        if not others:
            return stroke
        choice = uniform("mislabel", seed, image, index, "class")
        return Stroke(others[int(choice * len(others))], stroke.points)
