"""A shaky hand that draws the toy's strokes: through the bodies it sees, and a few over the sea floor."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scribblebench.core.seeds import rng
from scribblebench.scribbles.stroke import Annotation, Points, Stroke
from scribblebench.sources.toy_creatures import Path
from scribblebench.sources.toy_paint import SIZE
from scribblebench.sources.toy_scene import LEAST_VISIBLE, Placed, Scene

Allowed = NDArray[np.bool_]
# A 3 px line stays within this distance of its integer middle line.
_BRUSH = np.ones((5, 5), dtype=bool)
_BRUSH[::4, ::4] = False
_STEP = 3.0
_SHORTEST = 6.0


def annotate(scene: Scene, seed: int, image: str) -> Annotation:
    """Draw one or more strokes on every visible part of a creature, and one or two on the background.

    Points are whole pixels, and the 3 px line through them keeps inside its class.
    """
    draw = rng("toy strokes", seed, image)
    strokes: list[Stroke] = []
    for item in scene.objects:
        strokes += _on_creature(draw, item, _room(scene.mask == item.class_index))
    for class_index in np.unique(scene.mask[scene.mask > 0]):
        strokes += _on_missed_parts(scene.mask == class_index, int(class_index), strokes)
    background = _on_background(draw, _room(scene.mask == 0))
    return Annotation(image, SIZE, SIZE, (*background, *strokes))


def _room(inside: Allowed) -> Allowed:
    """Pixels on which the middle of the brush may lie; the picture's edge is no border of a class."""
    return ndimage.binary_erosion(inside, _BRUSH, border_value=1)


def _on_creature(draw: np.random.Generator, item: Placed, room: Allowed) -> list[Stroke]:
    first, *others = item.creature.spines()
    spines = [first, *(spine for spine in others if draw.random() < 0.15)]
    strokes = []
    for spine in spines:
        path = shaky(draw, item.pose.to_image(spine), 0.05 * item.pose.unit)
        strokes += [Stroke(item.class_index, run) for run in runs_inside(path, room)[:2]]
    return strokes


def _on_missed_parts(inside: Allowed, class_index: int, strokes: list[Stroke]) -> list[Stroke]:
    """Straight strokes through those parts of a class, of 60 px or more, that no stroke has met."""
    parts, count = ndimage.label(inside, structure=np.ones((3, 3)))
    met = {
        int(parts[y, x])
        for s in strokes
        if s.class_index == class_index
        for x, y in s.points.astype(np.int64)
    }
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    missed = [k for k in range(1, count + 1) if k not in met and sizes[k] >= LEAST_VISIBLE]
    return [
        Stroke(class_index, points) for k in missed if (points := through_the_middle(parts == k)) is not None
    ]


def _on_background(draw: np.random.Generator, room: Allowed) -> list[Stroke]:
    """The longest of some random sweeps over the picture, cut where they leave the background."""
    wanted, found = 1 if draw.random() < 0.85 else 2, []
    for _ in range(8):
        corners = (0.04 + 0.92 * draw.random((3, 2))) * SIZE
        t = np.linspace(0.0, 1.0, 24)[:, None]
        sweep = (1 - t) ** 2 * corners[0] + 2 * t * (1 - t) * corners[1] + t * t * corners[2]
        found += runs_inside(shaky(draw, sweep, 1.5), room, longest=60.0)[:1]
    found.sort(key=_length, reverse=True)
    return [Stroke(0, run) for run in found[:wanted]]


def shaky(draw: np.random.Generator, path: Path, tremor: float) -> Points:
    """Follow part of a path, a point every 3 px or so, wavering by up to ``tremor`` px; whole pixels.

    Args:
        draw: where the wavering comes from.
        path: corner points (n, 2), in pixels.
        tremor: largest deviation, in pixels.
    """
    along = np.concatenate([[0.0], np.cumsum(_steps(path))])
    start, stop = 0.12 * draw.random() * along[-1], (1.0 - 0.12 * draw.random()) * along[-1]
    where = np.linspace(start, stop, max(2, round((stop - start) / _STEP) + 1))
    points = np.stack([np.interp(where, along, path[:, axis]) for axis in (0, 1)], axis=1)
    waver = draw.random((len(points) + 2, 2)) * 2.0 - 1.0
    waver = (waver[:-2] + 2.0 * waver[1:-1] + waver[2:]) / 4.0
    return np.rint(points + 2.0 * tremor * waver)


def runs_inside(path: Points, room: Allowed, longest: float = np.inf) -> list[Points]:
    """The stretches of a polyline that keep to ``room``, longest first; scraps are left out.

    >>> room = np.zeros((9, 30), bool); room[4, 2:20] = True
    >>> runs_inside(np.array([[0.0, 4], [5, 4], [9, 4], [12, 4], [25, 4]]), room)
    [array([[ 5.,  4.],
           [ 9.,  4.],
           [12.,  4.]])]
    """
    runs, current = [], path[:1]
    for start, stop in pairwise(path):
        if (start == stop).all():
            continue
        if _clear(start, stop, room) and _length(current) < longest:
            current = np.concatenate([current, stop[None]])
        else:
            runs.append(current)
            current = stop[None]
    runs.append(current)
    return sorted((run for run in runs if _length(run) >= _SHORTEST), key=_length, reverse=True)


def through_the_middle(part: Allowed) -> Points | None:
    """The longest straight stroke, in one of eight directions, through the deepest pixel of a part."""
    room = _room(part)
    if not room.any():
        return None
    deepest = np.argmax(np.where(room, ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1], 0.0))
    middle = np.array([deepest % SIZE, deepest // SIZE], dtype=np.float64)
    best = middle[None]
    for dx, dy in ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1)):
        line = np.stack([_walk(middle, np.array([dx, dy]) * sign, room) for sign in (-1.0, 1.0)])
        if _length(line) > _length(best):
            best = line
    return best if len(best) > 1 else None


def _walk(start: Points, step: Points, room: Allowed) -> Points:
    while _clear(start, start + step, room):
        start = start + step
    return start


def _clear(start: Points, stop: Points, room: Allowed) -> bool:
    """Tell whether every pixel on a straight way is allowed."""
    count = int(2 * np.abs(stop - start).max()) + 1
    way = np.rint(np.linspace(start, stop, count)).astype(np.int64)
    if way.min() < 0 or way.max() >= SIZE:
        return False
    return bool(room[way[:, 1], way[:, 0]].all())


def _steps(points: Points) -> Points:
    delta = np.diff(points, axis=0)
    return np.sqrt(delta[:, 0] ** 2 + delta[:, 1] ** 2)


def _length(points: Points) -> float:
    return math.fsum(_steps(points))
