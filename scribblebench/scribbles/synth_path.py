"""A way through the body of a component: least-cost paths on a grid that is coarse where the body is big."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from scribblebench.scribbles.components import Component
from scribblebench.scribbles.depths import Depths
from scribblebench.scribbles.footpaths import Footpaths
from scribblebench.scribbles.stroke import Points

_CELLS = 40
"""The most cells along the side of a square component; of a smaller one every pixel is a cell."""
_MOST = 0.5
"""Share of the pixels in the pen's reach that a coarse grid must keep; thin limbs ask for a finer one."""
_FINEST = 4000
"""The most cells that thin limbs are worth: one body in a hundred would take as long as all others."""
_FAR = 0.85
"""A way leads to one of the cells that are at least this share of the largest distance away."""
_NEAR = 0.4
"""The walk ends when what is left to visit is nearer than this share of the component's size."""
_SHY = 8.0
"""How many times dearer a cell on the way already drawn is."""
_BESIDE = 4.0
"""Cells nearer than this to the way already drawn are beside it."""
_RETRACED = 0.4
"""A way of which more than this share lies beside the way already drawn is not taken."""
_ROUGH = 0.5
"""Strength of the random hills and valleys, so that no two seeds take the same way."""
_CAP = (0.2, 0.7)
"""Deeper than a random share of the largest depth, a hand no longer cares about the edge."""

Field = NDArray[np.float64]
Body = NDArray[np.bool_]


def wander(component: Component, margin: float, legs: int, random: np.random.Generator) -> Points | None:
    """Walk through a component, away from its edges, from one of its far ends to another.

    Args:
        component: the pixels to walk through.
        margin: half the pen's width; straight lines between the points keep it from the edge.
        legs: the most far ends to visit after the first.
        random: source of the draws. Only its uniform numbers are used, which no numpy version changes.

    Returns:
        (n, 2), x and y of neighbouring cells in the order of the walk, or None where the pen fits nowhere.
    """
    depths = Depths(component)
    step = _coarsest(depths)
    reachable = depths.count_beyond(margin) if step > 1 else 0
    while True:
        grid = depths.on_grid(step)
        # A line between two cells is at most half a diagonal from one of them; pixel by pixel it is safe.
        body = _largest(grid > margin + (step * math.sqrt(0.5) if step > 1 else 0.0))
        enough = np.count_nonzero(body) * step**2 > _MOST * reachable
        if step == 1 or enough or (body.any() and reachable > _FINEST * (step // 2) ** 2):
            break
        step //= 2
    if not body.any():
        return None
    cells = _walk(_cost(grid, random), body, legs, random)
    points: Points = (cells[:, ::-1] * step + depths.offset(step)).astype(np.float64)
    return points


def _coarsest(depths: Depths) -> int:
    """Pixels between the cells of a component: few where it is small, or thin everywhere."""
    step = math.ceil(math.sqrt(depths.size) / _CELLS)
    if step == 1:
        return 1
    # Where one of the cells is deep enough, no other pixel need be looked at.
    deep = depths.on_grid(step).max() >= 2 * step
    return step if deep else max(1, min(step, int(depths.deepest() / 2)))


def _largest(body: Body) -> Body:
    parts, count = ndimage.label(body, np.ones((3, 3)))
    if count <= 1:
        return body
    largest: Body = parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    return largest


def _cost(grid: Field, random: np.random.Generator) -> Field:
    cap = grid.max() * (_CAP[0] + (_CAP[1] - _CAP[0]) * random.random())
    hills = ndimage.gaussian_filter(random.random(grid.shape), 4.0)
    hills = (hills - hills.mean()) / (hills.std() + 1e-9)
    cost: Field = np.exp(_ROUGH * hills) / np.clip(grid, 1.0, max(cap, 1.0))
    return cost


def _walk(cost: Field, body: Body, legs: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Return rows and columns of the cells of a walk, (n, 2)."""
    paths = Footpaths(body)
    count = len(paths.cells)
    walk = [_far_cell([int(random.random() * count)], paths, random)[0]]
    size, cost = math.sqrt(count), cost[body]
    for _ in range(legs):
        goal, distance = _far_cell(walk, paths, random)
        if len(walk) == 1:
            walk = paths.way(cost, walk, goal)
            continue
        if distance < _NEAR * size:
            break
        apart = _distance_from(paths.cells[walk], body)
        shyness = 1.0 + (_SHY - 1.0) * np.exp(-apart / _BESIDE)
        way = paths.way(cost * shyness, [walk[0], walk[-1]], goal)
        if np.mean(apart[way] < _BESIDE) > _RETRACED:
            break
        if way[0] != walk[-1]:
            walk.reverse()
        walk += way[1:]
    found: NDArray[np.int64] = paths.cells[walk]
    return found


def _far_cell(start: list[int], paths: Footpaths, random: np.random.Generator) -> tuple[int, float]:
    """Choose one of the cells that are far, on foot, from every cell of ``start``; also how far."""
    distance = paths.distances(start)
    far = np.flatnonzero(distance >= _FAR * distance.max())
    cell = int(far[int(random.random() * len(far))])
    return cell, float(distance[cell])


def _distance_from(walk: NDArray[np.int64], body: Body) -> Field:
    """Distance of each cell of a body from the nearest of a walk, in cells, (n,)."""
    free = np.ones_like(body)
    free[tuple(walk.T)] = False
    distance: Field = ndimage.distance_transform_edt(free)[body]
    return distance
