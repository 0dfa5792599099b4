"""What a run set out to do: one file a grid, so that others can tell which of its cells are missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.store.document import read_document, read_folder, write_document

SCHEMA = 2
_DIGITS = 6


class PlannedCell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cell, as far as its cost depends on it; the fields mean what they mean in a record."""

    slug: str
    method: str
    dataset: str
    protocol: str
    overrides: dict[str, Any] = {}
    device: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The cells of a grid that somebody runs.

    Attributes:
        name: the grid's, and six digits that stand for its cells.
        grid: the grid card's name.
        cells: all of them, whatever has become of them.
        at_once: cells at once.
        launcher: process and host that run them.
        started: ISO 8601, with the time zone.
        command: the command line.
        tasks: of each cell that a scheduler was handed, the task there.
        schema: version of this layout.
    """

    name: str
    grid: str
    cells: Sequence[PlannedCell]
    at_once: int
    launcher: str
    started: str
    command: str = ""
    tasks: dict[str, str] = {}
    schema: int = SCHEMA


def plan_name(grid: str, slugs: Collection[str]) -> str:
    """Name a grid and its cells: other seeds or settings are another plan.

    >>> plan_name("shrink", ["b", "a"]) == plan_name("shrink", ["a", "b"])
    True
    """
    return f"{grid}-{fingerprint(sorted(slugs))[:_DIGITS]}"


def plans_folder(runs: Path) -> Path:
    """Return the folder of plans and of the log file of each."""
    return runs / "grids"


def log_file(runs: Path, name: str) -> Path:
    """Return the log file of a grid."""
    return plans_folder(runs) / f"{name}.log"


def write_plan(runs: Path, plan: Plan) -> None:
    """Write a plan; it replaces that of an earlier start of the same cells.

    Raises:
        UserError: the folder cannot be written.
    """
    write_document(plans_folder(runs) / f"{plan.name}.json", plan)


def read_plans(runs: Path) -> list[Plan]:
    """Read the plans that are sound, the one that was started last at the end."""
    read = read_folder(plans_folder(runs), lambda path: read_document(path, Plan, SCHEMA, "a plan"))
    return sorted(read.records, key=lambda plan: plan.started)


def read_plan(runs: Path, name: str) -> Plan | None:
    """Read one plan; None where there is none that is sound."""
    path = plans_folder(runs) / f"{name}.json"
    try:
        return read_document(path, Plan, SCHEMA, "a plan") if path.exists() else None
    except UserError:
        return None
