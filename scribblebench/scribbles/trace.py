"""Strokes from a label map: skeletons, traced so that a stroke goes straight on where others cross it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import skeletonize

from scribblebench.scribbles.components import Component, components
from scribblebench.scribbles.polyline import simplified
from scribblebench.scribbles.stroke import Points, Stroke
from scribblebench.scribbles.trace_graph import (
    Links,
    Path,
    Pixel,
    SkeletonGraph,
    cut,
    junctions,
    link_pixels,
    route,
    without,
)

_SPUR = 3
"""A skeleton's side branch of up to this many pixels is roughness of the edge, not a stroke."""
_BRIDGE = 10
"""Two junctions with up to this many pixels between them are one crossing at a narrow angle."""
_AHEAD = 8
"""Pixels over which the direction of a path's end is taken."""
_SMOOTH = 1.0
"""Standard deviation, in skeleton pixels, of the smoothing of a line."""
_TIP = 8
"""Skeleton pixels at a line's end whose first half is set straight along the second."""
_TOLERANCE = 0.3
"""Largest distance in pixels between a smoothed line and the polyline that stands for it."""

End = tuple[int, int]
"""One end of a path: its index, and 0 for its first pixel or -1 for its last."""


def trace(label_map: NDArray[np.uint8], ignore_index: int = 255) -> tuple[Stroke, ...]:
    """Trace the strokes that a label map was drawn from.

    Each connected component of each class is thinned to its skeleton, which is cut at its junctions; at a
    junction the ways that continue one another most straightly are one stroke. Strokes that another class
    covers come out in pieces, and two strokes of a class that meet end to end as one: the pixels no
    longer tell.

    Args:
        label_map: uint8 (h, w).
        ignore_index: the value of pixels without a label.

    Returns:
        Strokes ordered by class, then by their component's first pixel.

    >>> drawn = np.full((20, 40), 255, np.uint8)
    >>> drawn[9:12, 5:35] = 15
    >>> [(s.class_index, s.points.round(1).tolist()) for s in trace(drawn)]
    [(15, [[5.0, 10.0], [33.0, 10.0]])]
    """
    height, width = label_map.shape
    return tuple(
        Stroke(component.class_index, np.clip(points, 0, (width - 1, height - 1)))
        for component in components(label_map, ignore_index)
        for points in _trace_component(component)
    )


def _trace_component(component: Component) -> Iterator[Points]:
    # A stroke along the border is cut lengthwise by it. Continued beyond, its middle stays in the middle.
    skeleton = skeletonize(component.pixels)  # type: ignore[no-untyped-call] # scikit-image has no types here
    for line in trace_skeleton(skeleton):
        yield _polyline(_centred(line, component.pixels)) + component.origin


def _centred(line: list[Pixel], component: NDArray[np.bool_]) -> Points:
    """Move skeleton pixels to the centre of what is drawn around them: lines of even width have none.

    Both ends stay.
    """
    x, y = np.array(line).T
    steps = np.array([(i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)])
    around = component[y[:, None] + steps[:, 1], x[:, None] + steps[:, 0]].astype(np.float64)
    points: Points = np.array(line) + around @ steps / around.sum(axis=1, keepdims=True)
    points[[0, -1]] = line[0], line[-1]
    return points


def _polyline(points: Points) -> Points:
    """Smooth the steps of the pixel grid and keep the points that make the shape."""
    if len(points) < 3:
        return points
    smooth = ndimage.gaussian_filter1d(points, _SMOOTH, axis=0, mode="nearest")
    smooth[[0, -1]] = points[[0, -1]]
    if len(points) > 2 * _TIP and tuple(points[0]) != tuple(points[-1]):
        smooth = _straight_tip(_straight_tip(smooth)[::-1])[::-1]
    return simplified(smooth, _TOLERANCE)


def _straight_tip(points: Points) -> Points:
    """Straighten a line's first pixels: a skeleton bends into one of the corners that a stroke ends in."""
    base, behind = points[_TIP // 2], points[_TIP]
    ahead = (base - behind) / (np.linalg.norm(base - behind) or 1.0)
    tip = base + max(0.0, float((points[0] - base) @ ahead)) * ahead
    if np.linalg.norm(tip - points[0]) > 1.5:  # a hook, not a corner of the pen
        return points
    return np.concatenate((tip[None], points[_TIP // 2 :]))


def trace_skeleton(skeleton: NDArray[np.bool_]) -> list[list[Pixel]]:
    """Trace one skeleton into as few, as straight lines as its junctions allow.

    Args:
        skeleton: bool (h, w), one pixel wide.
    """
    links, graph = _without_spurs(link_pixels(skeleton))
    bridges = [
        path
        for path in graph.paths
        if path.start is not None and path.stop is not None and len(path.pixels) <= _BRIDGE
    ]
    if bridges:
        graph = cut(links, junctions(links).union(*(path.pixels for path in bridges)))
    lines = _chain(graph, links)
    covered = {pixel for line in lines for pixel in line}
    lines += [list(path.pixels) for path in bridges if _left_out(path, covered)]
    # A blot so small that it is all junction is a point.
    return lines or [[min(links)]]


def _without_spurs(links: Links) -> tuple[Links, SkeletonGraph]:
    """Take the roughness off a skeleton, and cut it at its junctions."""
    graph = cut(links, junctions(links))
    spurs = {
        pixel
        for path in graph.paths
        if (path.start is None) != (path.stop is None) and len(path.pixels) <= _SPUR
        for pixel in path.pixels
    }
    if not spurs:
        return links, graph
    smooth = without(links, spurs)
    return smooth, cut(smooth, junctions(smooth))


def _left_out(bridge: Path, covered: set[Pixel]) -> bool:
    return len(bridge.pixels) > _SPUR and sum(p in covered for p in bridge.pixels) < len(bridge.pixels) / 2


def _chain(graph: SkeletonGraph, links: Links) -> list[list[Pixel]]:
    """Join paths across the nodes where they continue each other."""
    partner = _pair_ends(graph)
    lines, used = [], set()
    for index, path in _open_ends_first(graph, partner):
        if index in used:
            continue
        end: End | None = (index, 0 if (index, 0) not in partner else -1)
        line: list[Pixel] = []
        while end is not None and end[0] not in used:
            index, side = end
            used.add(index)
            path = graph.paths[index]
            line += path.pixels if side == 0 else path.pixels[::-1]
            leaving = (index, -1 - side)
            end = partner.get(leaving)
            if end is not None:
                line += _across(graph, leaving, end, links)
        lines.append(line)
    return lines


def _open_ends_first(graph: SkeletonGraph, partner: dict[End, End]) -> Iterable[tuple[int, Path]]:
    """Order the paths so that a chain is met at one of its ends; what is left then are rings."""
    return sorted(
        enumerate(graph.paths), key=lambda item: (item[0], 0) in partner and (item[0], -1) in partner
    )


def _pair_ends(graph: SkeletonGraph) -> dict[End, End]:
    """At every node, pair the ends that continue each other most straightly."""
    ends: dict[int, list[End]] = {}
    for index, path in enumerate(graph.paths):
        for side, node in ((0, path.start), (-1, path.stop)):
            if node is not None:
                ends.setdefault(node, []).append((index, side))
    partner: dict[End, End] = {}
    for meeting in ends.values():
        for one, other in sorted(combinations(meeting, 2), key=lambda pair: _turn(graph, *pair)):
            if one not in partner and other not in partner:
                partner[one], partner[other] = other, one
    return partner


def _turn(graph: SkeletonGraph, one: End, other: End) -> float:
    """Angle by which a pen turns that comes along one path and leaves by another, in radians.

    Measured with the way across the node, so that of two parallel ways the one in line is preferred.
    """
    (ax, ay), (px, py) = _heading(graph, one)
    (bx, by), (qx, qy) = _heading(graph, other)
    way = (qx - px, qy - py)
    return _angle((ax, ay), way) + _angle(way, (-bx, -by))


def _heading(graph: SkeletonGraph, end: End) -> tuple[tuple[int, int], Pixel]:
    """Direction in which a path runs into its node, and the pixel at which it does."""
    pixels = graph.paths[end[0]].pixels
    tip = pixels[end[1]]
    back = pixels[min(_AHEAD, len(pixels) - 1)] if end[1] == 0 else pixels[max(-1 - _AHEAD, -len(pixels))]
    return (tip[0] - back[0], tip[1] - back[1]), tip


def _angle(a: tuple[int, int], b: tuple[int, int]) -> float:
    return abs(math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]))


def _across(graph: SkeletonGraph, leaving: End, arriving: End, links: Links) -> list[Pixel]:
    """Return the node's pixels between two ends that meet at it."""
    path = graph.paths[leaving[0]]
    node = graph.nodes[path.stop if leaving[1] == -1 else path.start]  # type: ignore[index]
    first, last = path.pixels[leaving[1]], graph.paths[arriving[0]].pixels[arriving[1]]
    return route(first, last, node | {first, last}, links)[1:-1]
