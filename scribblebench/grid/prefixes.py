"""Beginnings of a training that several cells of a grid have in common: who keeps them, who goes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from scribblebench.training.cell import Cell

Prefixes = dict[int, str]
"""Epoch -> identity of the state there."""


def shared_prefixes(cells: Sequence[Cell]) -> list[Prefixes]:
    """Find, for each cell, the epochs at which its state is another cell's too.

    Only where a loss or a stage of some cell sets in can two cells part; a state nobody else needs is not
    worth a file.
    """
    ends = frozenset().union(*(cell.boundaries() for cell in cells))
    prefixes = [{end: cell.prefix_id(end) for end in ends} for cell in cells]
    owners = Counter(prefix for of_cell in prefixes for prefix in of_cell.values())
    return [{end: prefix for end, prefix in of_cell.items() if owners[prefix] > 1} for of_cell in prefixes]


def leaders_first(prefixes: Sequence[Prefixes]) -> list[int]:
    """Order cells so that nobody waits for a state while another could be trained.

    Of the cells that share a state, the first is in its place; the others come behind all first ones.

    >>> leaders_first([{}, {5: "a"}, {5: "a"}, {}, {5: "b"}])
    [0, 1, 3, 4, 2]

    Returns:
        Indices of the cells.
    """
    claimed: set[str] = set()
    follows: list[bool] = []
    for of_cell in prefixes:
        follows.append(not claimed.isdisjoint(of_cell.values()))
        claimed.update(of_cell.values())
    return sorted(range(len(prefixes)), key=lambda index: follows[index])
