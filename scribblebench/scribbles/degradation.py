"""What every degradation is: a registered part with pure functions of strokes or marks, and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.registry import Part
from scribblebench.scribbles.mark import Mark, Marks
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.stroke import Annotation, Stroke

Strokes = dict[int, Stroke]
"""Strokes by their index in the source. A draw is named by that index, so it does not change when another
stroke was dropped before."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a degradation may know of an image besides its strokes.

    Attributes:
        image: the image's id; it names the random draws.
        width: in pixels.
        height: in pixels.
        classes: number of classes of the dataset, background included.
        mask: dense labels, uint8 (height, width), or None where the dataset has none or none was asked for.
    """

    image: str
    width: int
    height: int
    classes: int
    mask: NDArray[np.uint8] | None = None


class Degradation(Part, frozen=True):
    """One way in which scribbles get worse. Its fields are its options.

    A degradation changes the strokes, the pen, or both. Every draw is one uniform number with a name that
    does not contain the rate, so variants are nested: what a low rate spoils, a higher rate spoils too.

    Attributes:
        acts_on: the kinds of supervision that it can make worse.
    """

    acts_on: ClassVar[frozenset[str]] = frozenset({"strokes"})

    def needs_masks(self) -> bool:
        """Tell whether ``strokes`` looks at the dense mask."""
        return False

    def strokes(self, strokes: Mapping[int, Stroke], rate: float, seed: int, scene: Scene) -> Strokes:
        """Return the degraded strokes, in the order of the given ones.

        Args:
            strokes: by their index in the source.
            rate: in [0, 1]; 0 changes nothing.
            seed: the variant's seed.
            scene: the image.
        """
        del rate, seed, scene
        return dict(strokes)

    def marks(self, marks: Mapping[int, Mark], rate: float, seed: int, scene: Scene) -> Marks:
        """Return the degraded clicks, boxes or tags of an image (see ``strokes``)."""
        del rate, seed, scene
        return dict(marks)

    def pen(self, pen: Pen, rate: float) -> Pen:
        """Return the pen with which the strokes are drawn."""
        del rate
        return pen


def degrade(
    annotation: Annotation, steps: tuple[tuple[Degradation, float], ...], seed: int, scene: Scene
) -> Strokes:
    """Apply degradations one after another.

    Args:
        annotation: the source.
        steps: degradations and their rates, in the order in which they act.
        seed: the variant's seed.
        scene: the image.

    Returns:
        The strokes that are left, by their index in the source, coordinates not rounded.
    """
    strokes = dict(enumerate(annotation.strokes))
    for part, rate in steps:
        strokes = part.strokes(strokes, rate, seed, scene)
    return strokes


def degrade_marks(
    marks: Sequence[Mark], steps: tuple[tuple[Degradation, float], ...], seed: int, scene: Scene
) -> tuple[Mark, ...]:
    """Apply degradations to marks one after another (see ``degrade``).

    Returns:
        The marks that are left, in the order of the source.
    """
    left = dict(enumerate(marks))
    for part, rate in steps:
        left = part.marks(left, rate, seed, scene)
    return tuple(left.values())
