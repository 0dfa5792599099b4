"""From the cells of a grid to the plan that others read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from scribblebench.core.host import host_name
from scribblebench.store.plan import Plan, PlannedCell, plan_name, read_plan
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.provenance import command, device_name


def planned(grid: str, cells: Sequence[Cell], places: Places, at_once: int) -> Plan:
    """Say what this process sets out to do.

    Args:
        grid: the grid card's name.
        cells: all of its cells, done or not.
        places: where things are.
        at_once: cells at once.
    """
    name = plan_name(grid, [cell.slug for cell in cells])
    before = read_plan(places.runs, name)
    return Plan(
        name=name,
        grid=grid,
        cells=planned_cells(cells, places),
        at_once=at_once,
        launcher=f"process {os.getpid()} on {host_name()}",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command(),
        tasks=before.tasks if before else {},
    )


def planned_cells(cells: Sequence[Cell], places: Places) -> list[PlannedCell]:
    """Name cells, and what their cost depends on."""
    return [
        PlannedCell(
            slug=cell.slug,
            method=cell.method.name,
            dataset=cell.dataset,
            protocol=cell.protocol.name,
            overrides=cell.overrides,
            device=device_name(places.device, cell.protocol.threads),
        )
        for cell in cells
    ]
