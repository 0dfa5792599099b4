"""What a grid will take, said before it is begun: time, memory, room on the disk."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scribblebench.core.errors import NoSpaceError
from scribblebench.core.files import free_space
from scribblebench.grid.estimate import Estimate, Estimates, lasting, total_seconds
from scribblebench.grid.plan import planned_cells
from scribblebench.grid.standing import Standing
from scribblebench.store.lock import holder
from scribblebench.store.record import lock_path, read_records
from scribblebench.training.cell import Cell
from scribblebench.training.cost import parameters, probe
from scribblebench.training.data import Places
from scribblebench.training.train import final_weights

_BYTES = 4
# Weights and two moments, and the old file stays until the new one is whole.
_STATE = 2 * 3


@dataclass(frozen=True)
class Forecast:
    """What the missing cells of a grid take.

    Attributes:
        notes: slug -> where a cell runs, why it ended, or what it will take.
        summary: of all missing cells, a line each.
        needed: bytes on the disk.
        folder: where they are needed.
    """

    notes: Mapping[str, str]
    summary: Sequence[str]
    needed: int
    folder: Path

    def require_room(self) -> None:
        """Look whether the disk has room.

        Raises:
            NoSpaceError: it has not.
        """
        if self.needed > free_space(self.folder):
            raise NoSpaceError(
                f"{self.folder} has {_mib(free_space(self.folder))} free, the weights of this grid need "
                f"{_mib(self.needed)}. Make room, or give --runs."
            )


def forecast(
    cells: Sequence[Cell],
    standings: Mapping[str, Standing],
    places: Places,
    at_once: int,
    probed: bool = False,
) -> Forecast:
    """Estimate by records of like cells, or else by a probe.

    Args:
        cells: of the grid.
        standings: how far each has come.
        places: where things are.
        at_once: cells at once.
        probed: time some steps of every method of which no cell under this protocol is done.
    """
    missing = [cell for cell in cells if standings[cell.slug] not in ("done", "running")]
    known = _known(missing, places, probed)
    needed = _bytes(missing, known, places, at_once)
    notes = _notes(standings, places.runs)
    for slug, estimate in known.items():
        told = f"about {lasting(estimate.seconds)}, {estimate.memory_mb:,.0f} MiB ({estimate.basis})"
        notes[slug] = "; ".join(filter(None, (notes.get(slug), told)))
    return Forecast(notes, _summary(missing, known, at_once, needed, places.runs), needed, places.runs)


def _known(missing: Sequence[Cell], places: Places, probed: bool) -> dict[str, Estimate]:
    records = read_records(places.runs).records if places.runs.is_dir() else []
    estimates = Estimates(records)
    trained = {record.method for record in records}
    by_probe: dict[str, Estimate] = {}
    found = {}
    for cell, planned in zip(missing, planned_cells(missing, places), strict=True):
        estimate = estimates.of(planned)
        name = cell.method.name
        if probed and (estimate is None or name not in trained):
            if name not in by_probe:
                by_probe[name] = Estimate(*_in_a_fresh_process(cell, places), "probed")
            estimate = by_probe[name]
        if estimate is not None:
            found[cell.slug] = estimate
    return found


def _in_a_fresh_process(cell: Cell, places: Places) -> tuple[float, float, int]:
    context = multiprocessing.get_context("spawn")  # a forked process inherits memory, and CUDA forbids it
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(probe, cell, places).result()


def _bytes(missing: Sequence[Cell], known: Mapping[str, Estimate], places: Places, at_once: int) -> int:
    """Count the bytes of final weights, and of the states of those that train at once."""
    by_method: dict[str, int] = {}
    for cell in missing:
        if cell.method.name not in by_method:
            estimate = known.get(cell.slug)
            found = estimate.parameters if estimate else 0
            by_method[cell.method.name] = found or parameters(cell)
    folder = places.runs / "checkpoints"
    trainings = {cell.training_id: by_method[cell.method.name] for cell in missing}
    weights = [count for name, count in trainings.items() if not final_weights(folder, name).exists()]
    under_way = sorted(weights, reverse=True)[:at_once]
    return _BYTES * (sum(weights) + _STATE * sum(under_way))


def _notes(standings: Mapping[str, Standing], runs: Path) -> dict[str, str]:
    reasons = {record.slug: record.reason for record in read_records(runs).records} if runs.is_dir() else {}
    notes = {}
    for slug, standing in standings.items():
        if standing == "running":
            notes[slug] = holder(lock_path(runs, slug))
        elif standing in ("failed", "interrupted"):
            notes[slug] = reasons.get(slug, "")
    return notes


def _summary(
    missing: Sequence[Cell], known: Mapping[str, Estimate], at_once: int, needed: int, runs: Path
) -> list[str]:
    disk = f"{_mib(needed)} of disk for weights, {_mib(free_space(runs))} are free"
    if not missing:
        return []
    if not known:
        return [f"No like cell is done, so that nothing tells how long this takes (--probe does); {disk}"]
    mean = sum(estimate.seconds for estimate in known.values()) / len(known)
    each = [known[cell.slug].seconds if cell.slug in known else mean for cell in missing]
    memory = sorted((estimate.memory_mb for estimate in known.values()), reverse=True)[:at_once]
    guessed = len(missing) - len(known)
    rest = f" ({guessed} of unknown cost counted like the others)" if guessed else ""
    return [
        f"about {lasting(total_seconds(each, at_once))} with {at_once} at once{rest}, "
        f"{sum(memory):,.0f} MiB of memory; {disk}"
    ]


def _mib(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB"
