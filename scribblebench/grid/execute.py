"""Running the missing cells of a grid, some at once, each in a process of its own.

The folder of records is the scheduler: a cell that is done is skipped, a cell that another process holds
the lock of is left to it, and one that fails does not take the others with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scribblebench.grid.attempt import Ended, Job
from scribblebench.grid.display import Display
from scribblebench.grid.how import How, Outcome
from scribblebench.grid.plan import planned
from scribblebench.grid.prefixes import leaders_first, shared_prefixes
from scribblebench.grid.standing import adopt, forget, standing
from scribblebench.store.plan import write_plan
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.predictions import lacks_predictions


def execute(
    cells: Sequence[Cell], places: Places, how: How, display: Display, grid: str = "cells"
) -> list[Ended]:
    """Run the cells that have no finished record yet.

    Args:
        cells: the grid.
        places: where things are.
        how: how many at once, and what of cells that failed or that another process is at.
        display: is told of everything.
        grid: its name, under which others look how far it is.

    Returns:
        What became of each cell that was not done before.

    Raises:
        NoSpaceError: the disk is full; no further cell was begun.
    """
    prefixes = shared_prefixes(cells)
    jobs = [Job(cells[index], places, frozenset(prefixes[index])) for index in leaders_first(prefixes)]
    _forget(jobs, how)
    missing = [job for job in jobs if not _is_settled(job, display)]
    if not missing:
        return []
    display.at_once = how.executor.at_once(len(missing), places.device)
    plan = planned(grid, cells, places, display.at_once)
    write_plan(places.runs, plan)
    ended = how.executor.run(missing, plan, display)
    left = {record.slug for record, _ in ended if record.status == "running"}
    if not (how.wait and left):
        return ended
    display.expect(len(left))
    waited = [replace(job, wait=True) for job in missing if job.cell.slug in left]
    settled = [end for end in ended if end.record.slug not in left]
    return settled + how.executor.run(waited, plan, display)


def outcome(cells: int, ended: Sequence[Ended]) -> Outcome:
    """Count what became of a grid of so many cells."""
    left = sum(record.status == "running" for record, _ in ended)
    failed = sum(record.status in ("failed", "interrupted") for record, _ in ended)
    run = sum(ours for _, ours in ended)
    return Outcome(before=cells - run - left, run=run, failed=failed, left=left)


def _forget(jobs: Sequence[Job], how: How) -> None:
    """Remove what ``--rerun`` says is to be made anew."""
    for job in jobs:
        stopped = how.rerun == "failed" and standing(job.cell, job.places) in ("failed", "interrupted")
        if how.rerun == "all" or stopped:
            forget(job.cell, job.places, set(job.boundaries))


def _is_settled(job: Job, display: Display) -> bool:
    """Tell whether a cell needs no run, and say so."""
    now = standing(job.cell, job.places)
    if now == "done" or adopt(job.cell, job.places):
        if lacks_predictions(job.cell, job.places):
            return False
        display.skipped(job.cell.slug, "done before" if now == "done" else "done before, under another name")
        return True
    if now == "damaged":
        display.line(f"{job.cell.slug}: its record or its confusion matrices are damaged; it is run again.")
    return False
