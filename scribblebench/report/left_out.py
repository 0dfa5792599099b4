"""What a report could not put into its tables: damaged files, cells without a result, earlier results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scribblebench.report.collect import Cell, Group, one_line

Damaged = Sequence[tuple[Path, str]]


def left_out(groups: Sequence[Group], damaged: Damaged) -> list[tuple[str, str]]:
    """List names of files and cells, each with the reason in a line."""
    shown = {cell.record.slug for group in groups for cell in group.cells}
    cells = {
        cell.record.slug: _status(cell)
        for group in groups
        for cell in sorted(group.cells, key=lambda cell: cell.record.slug)
        if not cell.done
    }
    superseded = {
        cell.record.slug: "superseded: a later record has the same method, scribbles and seed"
        for group in groups
        for cell in group.superseded
        if cell.record.slug not in shown
    }
    files = [(str(path), f"damaged: {one_line(why)}") for path, why in damaged]
    return [*files, *cells.items(), *superseded.items()]


def _status(cell: Cell) -> str:
    r = cell.record
    reason = f"{r.status}: {one_line(r.reason)}" if r.reason else r.status
    return f"{reason} (traceback in {r.log})" if r.log else reason
