"""Strokes with the wrong class: the person looked away, or chose the wrong button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from scribblebench.core.seeds import uniform
from scribblebench.scribbles.degradation import Degradation, Scene, Strokes
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.mark import Mark, Marks
from scribblebench.scribbles.stroke import Stroke


@DEGRADATIONS.register
class Mislabel(Degradation, frozen=True):
    """Each stroke has a wrong class with probability R, the same wrong one at every rate.

    So has each click, box or tag; it never becomes the background's, and a tag never one that is there too.

    Attributes:
        wrong: the wrong class is any other of the ``dataset``, or one that is drawn in the same ``image``
            (where there is no other, the stroke keeps its class).
    """

    acts_on: ClassVar[frozenset[str]] = frozenset({"strokes", "points", "boxes", "tags"})

    wrong: Annotated[
        Literal["dataset", "image"], Meta(description="Where the wrong class is taken from.")
    ] = "dataset"

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Give the strokes whose draw is below ``rate`` another class."""
        drawn = {s.class_index for s in strokes.values()}
        candidates = sorted(drawn) if self.wrong == "image" else list(range(scene.classes))
        return {
            i: Stroke(_mistaken(i, s.class_index, candidates, rate, seed, scene.image), s.points)
            for i, s in strokes.items()
        }

    def marks(self, marks: Mapping[int, Mark], rate: float, seed: int, scene: Scene) -> Marks:
        """Give the marks whose draw is below ``rate`` another class."""
        marked = {m.class_index for m in marks.values()}
        tagged = {m.class_index for m in marks.values() if not len(m.points)}
        candidates = sorted(marked) if self.wrong == "image" else list(range(1, scene.classes))
        free = [c for c in candidates if c not in tagged]
        return {
            i: Mark(_mistaken(i, m.class_index, free, rate, seed, scene.image), m.points)
            for i, m in marks.items()
        }


def _mistaken(index: int, own: int, candidates: list[int], rate: float, seed: int, image: str) -> int:
    """Return the class that a stroke or mark is given: its own, unless its draw is below ``rate``."""
    others = [c for c in candidates if c != own]
    if not others or uniform("mislabel", seed, image, index) >= rate:
        return own
    return others[int(uniform("mislabel", seed, image, index, "class") * len(others))]
