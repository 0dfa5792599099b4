"""A way through the body of a component: least-cost paths on a grid that is coarse where the body is big."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.graph import MCP_Geometric

from scribblebench.scribbles.stroke import Points

_CELLS = 40
"""Cells along the side of a square component; of a smaller one every pixel is a cell."""
_MOST = 0.5
"""Share of the pixels in the pen's reach that a coarse grid must keep; thin limbs ask for a finer one."""
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
Cell = tuple[int, int]


def wander(depth: Field, margin: float, legs: int, random: np.random.Generator) -> Points | None:
    """Walk through a component, away from its edges, from one of its far ends to another.

    Args:
        depth: (h, w), distance to the nearest pixel outside the component, 0 there.
        margin: half the pen's width; straight lines between the points keep it from the edge.
        legs: the most far ends to visit after the first.
        random: source of the draws. Only its uniform numbers are used, which no numpy version changes.

    Returns:
        (n, 2), x and y of neighbouring cells in the order of the walk, or None where the pen fits nowhere.
    """
    reachable = np.count_nonzero(depth > margin)
    step = max(1, int(min(math.sqrt(depth.size) / _CELLS, depth.max() / 2)))
    while True:
        offset = (step - 1) // 2
        grid = depth[offset::step, offset::step]
        # A line between two cells is at most half a diagonal from one of them; pixel by pixel it is safe.
        body = _largest(grid > margin + (step * math.sqrt(0.5) if step > 1 else 0.0))
        if step == 1 or np.count_nonzero(body) * step**2 > _MOST * reachable:
            break
        step //= 2
    if not body.any():
        return None
    cells = _walk(_cost(grid, random), body, legs, random)
    points: Points = np.array(cells, dtype=np.float64)[:, ::-1] * step + offset
    return points


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


def _walk(cost: Field, body: Body, legs: int, random: np.random.Generator) -> list[Cell]:
    inside = np.argwhere(body)
    somewhere = _cell(inside[int(random.random() * len(inside))])
    walk = [_far_cell([somewhere], body, random)[0]]
    size = math.sqrt(len(inside))
    for _ in range(legs):
        goal, distance = _far_cell(walk, body, random)
        if len(walk) > 1 and distance < _NEAR * size:
            break
        apart = _distance_from(walk, body.shape)
        shyness = 1.0 + (_SHY - 1.0) * np.exp(-apart / _BESIDE) if len(walk) > 1 else 1.0
        ways = MCP_Geometric(np.where(body, cost * shyness, -1.0))
        ways.find_costs([walk[0], walk[-1]], [goal])
        way = [_cell(c) for c in ways.traceback(goal)]
        if len(walk) > 1 and np.mean([apart[cell] < _BESIDE for cell in way]) > _RETRACED:
            break
        if way[0] != walk[-1]:
            walk.reverse()
        walk += way[1:]
    return walk


def _far_cell(start: list[Cell], body: Body, random: np.random.Generator) -> tuple[Cell, float]:
    """Choose one of the cells that are far, on foot, from every cell of ``start``; also how far."""
    distance, _ = MCP_Geometric(np.where(body, 1.0, -1.0)).find_costs(start)
    distance[~body] = -1.0
    far = np.argwhere(distance >= _FAR * distance.max())
    cell = _cell(far[int(random.random() * len(far))])
    return cell, float(distance[cell])


def _distance_from(walk: list[Cell], shape: tuple[int, ...]) -> Field:
    free = np.ones(shape, dtype=bool)
    free[tuple(np.array(walk).T)] = False
    distance: Field = ndimage.distance_transform_edt(free)
    return distance


def _cell(index: NDArray[np.int64] | Cell) -> Cell:
    return int(index[0]), int(index[1])
