"""The graph of a skeleton: its ends and junctions, and the pixel paths between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixel = tuple[int, int]
"""A pixel as x, y."""


@dataclass(frozen=True)
class Path:
    """Skeleton pixels in order, between two nodes.

    Attributes:
        pixels: the pixels strictly between the nodes, and a free end itself.
        start: the node before the first pixel, or None where the path begins freely.
        stop: the node after the last pixel, or None.
    """

    pixels: tuple[Pixel, ...]
    start: int | None
    stop: int | None

    @property
    def loop(self) -> bool:
        """Tell whether this is a closed curve that meets no junction."""
        return len(self.pixels) > 3 and self.pixels[0] == self.pixels[-1]


@dataclass(frozen=True)
class SkeletonGraph:
    """Junctions (each a connected set of pixels) and the paths between them."""

    nodes: tuple[frozenset[Pixel], ...]
    paths: tuple[Path, ...]


Links = dict[Pixel, list[Pixel]]

_STRAIGHT = ((-1, 0), (1, 0), (0, -1), (0, 1))
_DIAGONAL = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def link_pixels(skeleton: NDArray[np.bool_]) -> Links:
    """Link each pixel to its 8-neighbours, but not diagonally where a straight detour exists.

    So three pixels in an L are a path and not a triangle.

    Args:
        skeleton: bool (h, w).
    """
    there = np.pad(skeleton.T, 1)
    x, y = np.nonzero(there)
    linked = [there[x + i, y + j] for i, j in _STRAIGHT]
    linked += [there[x + i, y + j] & ~there[x + i, y] & ~there[x, y + j] for i, j in _DIAGONAL]
    pixel, way = np.nonzero(np.stack(linked, axis=1))
    neighbours = np.stack([x, y], axis=1)[pixel] + np.array([*_STRAIGHT, *_DIAGONAL])[way] - 1
    links: list[list[Pixel]] = [[] for _ in x]
    for index, (column, row) in zip(pixel.tolist(), neighbours.tolist(), strict=True):
        links[index].append((column, row))
    return dict(zip(zip((x - 1).tolist(), (y - 1).tolist(), strict=True), links, strict=True))


def connected(pixels: Iterable[Pixel], links: Links) -> Iterator[frozenset[Pixel]]:
    """Split pixels into sets that hang together by their links."""
    left = dict.fromkeys(pixels)
    while left:
        first = next(iter(left))
        del left[first]
        found, queue = {first}, deque([first])
        while queue:
            for other in links[queue.popleft()]:
                if other in left:
                    del left[other]
                    found.add(other)
                    queue.append(other)
        yield frozenset(found)


def route(start: Pixel, stop: Pixel, within: frozenset[Pixel], links: Links) -> list[Pixel]:
    """Return a shortest path between two pixels of a connected set, both included."""
    before: dict[Pixel, Pixel] = {start: start}
    queue = deque([start])
    while stop not in before:
        pixel = queue.popleft()
        for other in links[pixel]:
            if other in within and other not in before:
                before[other] = pixel
                queue.append(other)
    way = [stop]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]


def junctions(links: Links) -> set[Pixel]:
    """Return the pixels where more than two ways meet."""
    return {pixel for pixel, others in links.items() if len(others) > 2}


def without(links: Links, gone: set[Pixel]) -> Links:
    """Return the skeleton without some of its pixels."""
    return {p: [q for q in others if q not in gone] for p, others in links.items() if p not in gone}


def cut(links: Links, at: set[Pixel]) -> SkeletonGraph:
    """Cut a skeleton into nodes, made of the given pixels, and the paths between them.

    Args:
        links: the skeleton.
        at: the pixels of the nodes, all junctions among them.
    """
    nodes = tuple(connected(sorted(at), links))
    node_of = {pixel: index for index, node in enumerate(nodes) for pixel in node}
    return SkeletonGraph(nodes, tuple(_path(chain, links, node_of) for chain in _chains(links, node_of)))


def _chains(links: Links, node_of: dict[Pixel, int]) -> Iterator[list[Pixel]]:
    """Order what lies between the nodes, pixels with at most two links each, from one end to the other."""
    left = dict.fromkeys(pixel for pixel in sorted(links) if pixel not in node_of)
    while left:
        seed = next(iter(left))
        del left[seed]
        ahead = _follow(seed, links, left)
        chain = [*_follow(seed, links, left)[::-1], seed, *ahead]
        yield chain[::-1] if chain[-1] < chain[0] else chain


def _follow(start: Pixel, links: Links, left: dict[Pixel, None]) -> list[Pixel]:
    """Walk on from a pixel as far as there are pixels left, and take them."""
    way = []
    here: Pixel | None = start
    while here is not None:
        here = next((pixel for pixel in links[here] if pixel in left), None)
        if here is not None:
            del left[here]
            way.append(here)
    return way


def _path(chain: list[Pixel], links: Links, node_of: dict[Pixel, int]) -> Path:
    if len(chain) > 2 and chain[0] in links[chain[-1]]:
        return Path((*chain, chain[0]), None, None)
    near = [[node_of[q] for q in links[p] if q in node_of] for p in (chain[0], chain[-1])]
    start, stop = [*near[0], None, None][:2] if len(chain) == 1 else [next(iter(n), None) for n in near]
    return Path(tuple(chain), start, stop)
