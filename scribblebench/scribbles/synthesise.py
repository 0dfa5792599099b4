"""Human-like strokes from a dense mask: one through the body of every connected component."""

from __future__ import annotations

from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scribblebench.core.seeds import rng
from scribblebench.scribbles.components import Component, components
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.polyline import arc_lengths, between
from scribblebench.scribbles.stroke import Annotation, Points, Stroke
from scribblebench.scribbles.synth_path import wander

_TRIM = 0.1
"""Largest share of a way that is left out at each end: people rarely draw to the very edge."""
_LEGS = {"background": 3, "object": 1}
"""Far ends visited after the first: people walk around the objects, and straight through each of them."""
_SMOOTH = (3.0, 1.5, 0.75)
"""Strengths of smoothing that are tried, in cells of the walk; the strongest that stays inside is kept."""
_SPACING = (3.0, 8.0)
"""Smallest and largest distance between the points of a stroke, in pixels."""
_POINTS = 24
"""Points of a stroke, where its spacing allows."""


def synthesise(
    mask: NDArray[np.uint8],
    image: str,
    seed: int,
    *,
    ignore_index: int = 255,
    background: int = 0,
    min_area: int = 60,
    pen: Pen | None = None,
) -> tuple[Stroke, ...]:
    """Draw a stroke through every component of a dense mask as a person might.

    A least-cost way through the inside leads from one far end to another, on a grid that is coarse in big
    components and fine in small ones; it is trimmed, smoothed and given points at a hand's spacing. No pixel
    that ``pen`` draws lies outside the stroke's component; one in which the pen fits nowhere, such as a line
    two pixels wide, gets none.

    Args:
        mask: uint8 (h, w), dense labels.
        image: the image's id; with the seed it names every draw.
        seed: another seed gives other strokes.
        ignore_index: label of pixels that belong to no class.
        background: the class that is walked around in.
        min_area: smaller components get no stroke, in pixels.
        pen: how the strokes will be drawn.

    Returns:
        Strokes with integer coordinates, ordered by class, then by their component's first pixel.
    """
    pen = Pen() if pen is None else pen
    strokes = []
    for component in components(mask, ignore_index, min_area):
        value = component.class_index
        legs = _LEGS["background" if value == background else "object"]
        random = rng("synthesise", seed, image, value, *component.first)
        points = _draw_through(component, legs, pen, random)
        if points is not None:
            strokes.append(Stroke(value, points + component.origin + pen.base))
    return tuple(strokes)


def _draw_through(component: Component, legs: int, pen: Pen, random: np.random.Generator) -> Points | None:
    """Draw one stroke through a component, or None where the pen fits nowhere."""
    way = wander(component, pen.width / 2, legs, random)
    if way is None:
        return None
    lengths = arc_lengths(way)
    start, stop = (_TRIM * random.random() * lengths[-1] for _ in range(2))
    part = between(way, start, lengths[-1] - stop, lengths)
    tries = (np.rint(_by_hand(part, strength)) for strength in _SMOOTH)
    # The cells themselves are safe whatever the smoothing did; a wide pen may fit on one of them only.
    return next((p for p in chain(tries, (way, way[:1])) if _stays_inside(p, component, pen)), None)


def _by_hand(way: Points, strength: float) -> Points:
    """Smooth a way and set points at the distance at which a hand sets them."""
    if len(way) < 3:
        return way
    smooth = ndimage.gaussian_filter1d(way, strength, axis=0, mode="nearest")
    smooth[[0, -1]] = way[[0, -1]]
    lengths = arc_lengths(smooth)
    spacing = min(max(lengths[-1] / _POINTS, _SPACING[0]), _SPACING[1])
    at = np.linspace(0.0, lengths[-1], max(2, round(lengths[-1] / spacing) + 1))
    return np.stack([np.interp(at, lengths, smooth[:, axis]) for axis in (0, 1)], axis=1)


def _stays_inside(points: Points, component: Component, pen: Pen) -> bool:
    height, width = component.pixels.shape
    alone = Annotation("", width, height, (Stroke(1, points + pen.base),))
    return not np.any((draw(alone, pen, ignore_index=0) == 1) & ~component.pixels)
