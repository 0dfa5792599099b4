"""Strokes in memory: degrade polylines, draw them, and trace them from a label map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scribblebench.core.cards import convert
from scribblebench.scribbles import trace as tracing
from scribblebench.scribbles.degradation import Scene
from scribblebench.scribbles.degradation import degrade as apply
from scribblebench.scribbles.draw import draw as draw_annotation
from scribblebench.scribbles.stroke import Annotation, Points, Stroke, rounded
from scribblebench.sources.spec import VariantSpec

Polyline = tuple[int, ArrayLike]
"""A stroke: the index of its class, and its points, (n, 2), x and y in pixels, n >= 1."""

Degradations = Mapping[str, float | Mapping[str, Any]]
"""Degradations by name, in the order in which they act: a rate in [0, 1], or ``rate`` and options."""


def degrade(
    strokes: Iterable[Polyline],
    degradations: Degradations,
    size: tuple[int, int],
    *,
    image: str,
    seed: int = 0,
    classes: int = 255,
    mask: ArrayLike | None = None,
) -> list[tuple[int, Points]]:
    """Degrade the strokes of one image, as ``make-dataset`` does (RW-SS, Section 4.3).

    Every draw is named by the seed, the image and the position of the stroke, and by no rate: what a low rate
    spoils, a higher rate spoils too.

    Args:
        strokes: class and points of each, in the order in which they were drawn.
        degradations: such as ``{"drop": 0.3}`` or ``{"drop": {"rate": 0.3, "unit": "stroke"}}``.
        size: height and width of the image in pixels.
        image: the image's id; it names the draws.
        seed: of the draws.
        classes: number of classes of the dataset; ``mislabel`` draws from them.
        mask: dense labels, (height, width), where they are known: ``drop`` then takes the strokes on one
            connected component together, else each stroke is an object of its own.

    Returns:
        The strokes that are left, in their order; coordinates are not rounded.

    Raises:
        UserError: an unknown degradation or option, or a rate outside [0, 1].
        ValueError: points or mask are of another shape.

    >>> line = (1, [[0, 5], [10, 5]])
    >>> degrade([line], {"shrink": {"rate": 0.5, "keep": "centre"}}, (20, 20), image="a")
    [(1, array([[2.5, 5. ], [7.5, 5. ]]))]
    >>> degrade([line], {"drop": 1}, (20, 20), image="a")
    []
    """
    spec = variant_of(degradations, seed)
    annotation = _annotation(strokes, size, image)
    dense = None if mask is None else np.asarray(mask, dtype=np.uint8)
    if dense is not None and dense.shape != size:
        raise ValueError(f"mask has shape {dense.shape}, the image is {size[0]} x {size[1]}")
    scene = Scene(image, size[1], size[0], classes, dense)
    kept = apply(annotation, spec.parts(), spec.seed, scene)
    return [(stroke.class_index, stroke.points) for stroke in kept.values()]


def draw(
    strokes: Iterable[Polyline],
    size: tuple[int, int],
    *,
    degradations: Degradations | None = None,
    pen: Mapping[str, Any] | None = None,
    ignore_index: int = 255,
) -> NDArray[np.uint8]:
    """Draw strokes into a label map, rounded to whole pixels as a variant's are.

    Args:
        strokes: class and points of each; a later one is drawn over an earlier one.
        size: height and width in pixels.
        degradations: those of the pen act here (``thicken``, ``thin``); the others have acted in ``degrade``.
        pen: ``width`` (3 pixels), ``joints``, ``base`` and ``point``, as of ``make-dataset``.
        ignore_index: the label of the other pixels.

    Returns:
        uint8 (height, width).

    Raises:
        UserError: an unknown degradation or option, or a value out of range.
        ValueError: points are of another shape.

    >>> draw([(1, [[2, 1]])], (3, 5), ignore_index=0)
    array([[0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0]], dtype=uint8)
    """
    spec = variant_of(degradations or {}, pen=pen)
    annotation = _annotation(strokes, size, "strokes")
    whole = tuple(Stroke(s.class_index, rounded(s.points)[0]) for s in annotation.strokes)
    drawn = Annotation(annotation.image, annotation.width, annotation.height, whole)
    return draw_annotation(drawn, spec.drawn_with(), ignore_index)


def trace(label: ArrayLike, ignore_index: int = 255) -> list[tuple[int, Points]]:
    """Find the strokes that a label map was drawn from (docs/strokes-from-pixels.md).

    Args:
        label: uint8 (height, width), class indices on strokes of a few pixels' width.
        ignore_index: the label of the other pixels.

    Returns:
        Class and points of each, ordered by class.

    >>> found = trace(draw([(1, [[5, 10], [30, 10]])], (20, 40)))
    >>> [(index, len(points)) for index, points in found]
    [(1, 2)]
    """
    traced = tracing.trace(np.asarray(label, dtype=np.uint8), ignore_index)
    return [(stroke.class_index, stroke.points) for stroke in traced]


def variant_of(
    degradations: Degradations, seed: int = 0, pen: Mapping[str, Any] | None = None, **fields: Any
) -> VariantSpec:
    """Say what variant these arguments mean.

    Raises:
        UserError: an unknown degradation or option, or a value out of range.

    >>> variant_of({"drop": {"rate": 0.3, "unit": "stroke"}, "shrink": 1}, seed=2).id
    'drop-0.3-unit=stroke+shrink-1-seed2'
    """
    steps = []
    for kind, given in degradations.items():
        options = dict(given) if isinstance(given, Mapping) else {"rate": given}
        steps.append({"kind": kind, "rate": options.pop("rate", None), "options": options})
    made = {"degradations": steps, "seed": seed, "pen": dict(pen or {}), **fields}
    return convert(made, VariantSpec, "degradations").checked()


def _annotation(strokes: Iterable[Polyline], size: tuple[int, int], image: str) -> Annotation:
    made = tuple(Stroke(int(index), _points(points)) for index, points in strokes)
    return Annotation(image, width=size[1], height=size[0], strokes=made)


def _points(given: ArrayLike) -> Points:
    points = np.asarray(given, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"a stroke has points of shape {points.shape}; give (n, 2) with n >= 1")
    return points
