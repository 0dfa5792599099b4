"""How far the cells of a folder are, for those who look on from elsewhere. Needs no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scribblebench.core.errors import UserError
from scribblebench.grid.estimate import Estimates, lasting, total_seconds
from scribblebench.store.lock import holder
from scribblebench.store.plan import Plan, PlannedCell, read_plans
from scribblebench.store.progress import Progress, read_progress
from scribblebench.store.record import Record, lock_path, read_records

# In this order, and none of what is done: that is counted.
SHOWN = ("running", "failed", "interrupted", "damaged", "missing")
_COUNTED = {"epoch": "epoch", "images": "scored", "labels": "labelled"}


@dataclass(frozen=True)
class Line:
    """A cell.

    Attributes:
        standing: as a dry run names it.
        slug: the cell's.
        note: how far it is and where it runs, or what went wrong.
        left: seconds until it is done, None where nothing tells.
    """

    standing: str
    slug: str
    note: str = ""
    left: float | None = None


@dataclass(frozen=True)
class Status:
    """A folder of records as it is now.

    Attributes:
        heading: whose cells these are.
        lines: a line a cell, in the order of ``SHOWN`` and then those that are done.
        at_once: cells at once.
    """

    heading: str
    lines: Sequence[Line]
    at_once: int

    @property
    def counts(self) -> Counter[str]:
        """Number of cells of each standing."""
        return Counter(line.standing for line in self.lines)

    @property
    def summary(self) -> str:
        """Count the cells, and say how long the rest will take as far as that is known."""
        counts = self.counts
        told = [f"{counts[name]} {name}" for name in ("done", *SHOWN) if counts[name] or name == "done"]
        return f"{len(self.lines)} cells: {', '.join(told)}{self._left()}"

    def _left(self) -> str:
        waiting = [line.left for line in self.lines if line.standing in SHOWN and line.standing != "failed"]
        known = [left for left in waiting if left is not None]
        if not known:
            return ""
        # A cell of which nothing is known is taken for one like the others.
        mean = sum(known) / len(known)
        seconds = total_seconds([mean if left is None else left for left in waiting], self.at_once)
        return f"; about {lasting(seconds)} left"


def status(runs: Path, grid: str | None = None, every: bool = False) -> Status:
    """Look at the cells of the grid that was started last.

    Args:
        runs: folder of records.
        grid: of the grid of this name instead.
        every: all cells of all grids, and records that no grid has.

    Raises:
        UserError: no such folder, or nothing was ever started there.
    """
    if not runs.is_dir():
        raise UserError(f"No folder {runs}. Run 'scribblebench run --grid shrink', or give --runs.")
    plans, reading = read_plans(runs), read_records(runs)
    records = {record.slug: record for record in reading.records}
    estimates = Estimates(reading.records)
    damaged = {path.stem: message for path, message in reading.damaged}
    chosen = _chosen(plans, runs, grid, every)
    cells = {cell.slug: cell for plan in chosen for cell in plan.cells}
    if every or not chosen:
        cells |= {slug: _planned(record) for slug, record in records.items() if slug not in cells}
    lines = [_line(cell, records, damaged, runs, estimates) for cell in cells.values()]
    order = (*SHOWN, "done")
    return Status(
        heading="; ".join(f"{plan.grid}, started {plan.started} by {plan.launcher}" for plan in chosen),
        lines=sorted(lines, key=lambda line: order.index(line.standing)),
        at_once=max((plan.at_once for plan in chosen), default=1),
    )


def _chosen(plans: Sequence[Plan], runs: Path, grid: str | None, every: bool) -> list[Plan]:
    if grid is not None:
        of_grid = [plan for plan in plans if grid in (plan.grid, plan.name)]
        if not of_grid:
            names = ", ".join(sorted({plan.grid for plan in plans})) or "none"
            raise UserError(f"No grid '{grid}' was started in {runs}. Those that were: {names}.")
        return of_grid[-1:]
    return list(plans) if every else list(plans[-1:])


def _planned(record: Record) -> PlannedCell:
    return PlannedCell(
        slug=record.slug,
        method=record.method,
        dataset=record.dataset,
        protocol=record.protocol,
        overrides=record.overrides,
        device=record.device,
    )


def _line(
    cell: PlannedCell, records: dict[str, Record], damaged: dict[str, str], runs: Path, estimates: Estimates
) -> Line:
    record, slug = records.get(cell.slug), cell.slug
    known = estimates.of(cell)
    usual = known.seconds if known else None
    if record is None:
        standing = "damaged" if slug in damaged else "missing"
        return Line(standing, slug, damaged.get(slug, ""), usual)
    if record.status == "running":
        return _running(slug, runs, usual)
    return Line(record.status, slug, record.reason, usual)


def _running(slug: str, runs: Path, usual: float | None) -> Line:
    where, now = holder(lock_path(runs, slug)), read_progress(runs, slug)
    if now is None:
        return Line("running", slug, where, usual)
    left = now.left if now.left is not None else usual
    told = f", {lasting(left)} left" if left is not None else ""
    return Line("running", slug, f"{counted(now)}{told}, {where}", left)


def counted(now: Progress) -> str:
    """Say how far a cell is.

    >>> counted(Progress("epoch", 3, 30, 9.0, 2))
    'epoch 3/30'
    """
    return f"{_COUNTED[now.what]} {now.done}/{now.total}"


def table(found: Status) -> Iterator[str]:
    """Write a status, a line a cell that is not done, and a summary."""
    if found.heading:
        yield found.heading
    for line in found.lines:
        if line.standing != "done":
            yield f"{line.standing:<11}  {line.slug}{f'  {line.note}' if line.note else ''}"
    yield found.summary
