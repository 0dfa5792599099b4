"""What cells will take, by the records of like ones. Needs no torch."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from scribblebench.core.files import fingerprint
from scribblebench.store.plan import PlannedCell
from scribblebench.store.record import Record


class Estimate(NamedTuple):
    """What a cell takes.

    Attributes:
        seconds: of training and evaluation.
        memory_mb: at most, of its process, or of its device where it has one; 2^20 bytes.
        parameters: of its network.
        basis: where that is known from, in a few words.
    """

    seconds: float
    memory_mb: float
    parameters: int
    basis: str


class Estimates:
    """Medians over records that are done.

    Args:
        records: of any cells.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._known: dict[Hashable, list[Record]] = defaultdict(list)
        for record in records:
            if record.status == "done" and not record.external:
                for key in _keys(record):
                    self._known[key].append(record)

    def of(self, cell: PlannedCell) -> Estimate | None:
        """Estimate by cells of the same method, or else by any under the same protocol on the same device."""
        for key, what in zip(_keys(cell), ("of its method", "of other methods"), strict=True):
            if like := self._known.get(key):
                return _median(like, f"{len(like)} {what}")
        return None


def _keys(cell: PlannedCell | Record) -> tuple[Hashable, Hashable]:
    shared = (
        cell.dataset,
        cell.protocol,
        fingerprint(cell.overrides),
        cell.device.partition(",")[0],
    )  # not the threads
    return ((cell.method, *shared), shared)


def _median(records: Sequence[Record], basis: str) -> Estimate:
    return Estimate(
        statistics.median(record.seconds for record in records),
        max(record.peak_memory_mb for record in records),
        int(statistics.median(record.parameters.get("total", 0) for record in records)),
        basis,
    )


def total_seconds(each: Sequence[float], at_once: int) -> float:
    """Return how long cells take of which some run at once, each begun as soon as there is a place.

    >>> total_seconds([4.0, 2.0, 2.0, 3.0], at_once=2)
    7.0
    >>> total_seconds([], 2)
    0.0
    """
    free_at = [0.0] * max(1, at_once)
    for seconds in each:
        place = free_at.index(min(free_at))
        free_at[place] += seconds
    return max(free_at)


def lasting(seconds: float) -> str:
    """Say how long something lasts, roughly.

    >>> lasting(38.2), lasting(61), lasting(5400), lasting(200_000)
    ('38 s', '1 min', '1.5 h', '2.3 days')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
