"""``cells.csv``: one row a cell, finished or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scribblebench.report.collect import Cell, Group
from scribblebench.report.tables import Rows, heading


def cells(groups: Sequence[Group]) -> Rows:
    """Tabulate every cell; those that no table uses, and methods x variants without a record, included."""
    rows: list[dict[str, Any]] = []
    for group in groups:
        rows += [_row(group, cell, cell.record.reason) for cell in group.cells]
        rows += [_row(group, cell, "superseded by a later record") for cell in group.superseded]
        rows += _missing(group)
    return rows


def _row(group: Group, cell: Cell, note: str) -> dict[str, Any]:
    record = cell.record
    return {
        "method": record.method,
        **heading(group),
        "kind": record.kind,
        "rate": record.rate,
        "seed": record.seed,
        "variant_seed": record.variant_seed,
        "status": record.status,
        "miou": record.miou,
        "note": note,
        "images": len(cell.ids) or None,
        "epochs": record.epochs,
        "final_loss": record.curve[-1].get("loss") if record.curve else None,
        "loss_fall": loss_fall([epoch.get("loss") for epoch in record.curve]),
        "seconds": record.seconds,
        "peak_memory_mb": record.peak_memory_mb,
        "parameters": record.parameters.get("total"),
        "device": record.device,
        "commit": record.commit,
        "started": record.started,
        "cell": record.cell,
    }


def _missing(group: Group) -> Rows:
    """Return a row for each method and variant that nobody has run."""
    return [
        {"method": method, **heading(group), "kind": v.kind, "rate": v.rate, "status": "missing"}
        for method in group.methods
        for v in group.expected(method)
        if not group.at(method, v)
    ]


def loss_fall(losses: Sequence[float | None]) -> float | None:
    """Say how far the training loss still fell over the last fifth of the run, as a share of it.

    The means of the two halves of the last fifth are compared; near 0 the run has converged. None for
    runs of fewer than 10 epochs, and where a loss was not finite.

    >>> loss_fall([1.0] * 16 + [0.5, 0.5, 0.4, 0.4])
    0.2
    """
    last = list(losses[-(len(losses) // 5) :])
    half = len(last) // 2
    first, second = last[:half], last[len(last) - half :]
    if len(losses) < 10 or None in last:
        return None
    before = sum(x for x in first if x is not None)
    after = sum(x for x in second if x is not None)
    return round((before - after) / before, 6) if before else None
