"""Running the missing cells of a grid: one after another, or several processes at once.

The folder of records is the scheduler: a cell that is done is skipped, a cell that another process holds
the lock of is left to it, and one that fails does not take the others with it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch

from scribblebench.grid.attempt import Job, attempt, terminable
from scribblebench.grid.display import Display
from scribblebench.grid.processes import in_processes
from scribblebench.grid.stages import leaders_first, shared_stages
from scribblebench.store.record import Record, find_record
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places

# Cells at once where nobody says how many: more would outgrow the memory of a small machine.
MOST_JOBS = 4


def execute(cells: Sequence[Cell], places: Places, jobs: int, display: Display) -> list[Record]:
    """Run the cells that have no finished record yet.

    Args:
        cells: the grid.
        places: where things are.
        jobs: cells at once; 0 picks a number.
        display: is told of everything.

    Returns:
        The records of the cells that were run now.
    """
    missing = []
    stages = shared_stages(cells)
    for index in leaders_first(stages):
        if is_done(cells[index], places):
            display.skipped(cells[index].slug, "done before")
        else:
            missing.append(Job(cells[index], places, frozenset(stages[index])))
    jobs = min(jobs or default_jobs(places.device), len(missing))
    return in_processes(missing, jobs, display) if jobs > 1 else _one_by_one(missing, display)


def default_jobs(device: torch.device) -> int:
    """Cells at once: a core each on the CPU, one on a CUDA device."""
    return 1 if device.type == "cuda" else min(os.cpu_count() or 1, MOST_JOBS)


def is_done(cell: Cell, places: Places) -> bool:
    """Tell whether a cell has a finished record."""
    record = find_record(places.runs, cell.id)
    return record is not None and record.status == "done"


def _one_by_one(missing: Sequence[Job], display: Display) -> list[Record]:
    records = []
    with terminable():
        for job in missing:
            record = attempt(job, display.event)
            records.append(record)
            display.finished(record)
            if record.status == "interrupted":
                raise KeyboardInterrupt
    return records
