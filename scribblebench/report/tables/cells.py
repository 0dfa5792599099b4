"""``cells.csv``: one row a cell, finished or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scribblebench.report.collect import Cell, Group
from scribblebench.report.convergence import record_fall
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
        "method": cell.method,
        **heading(group),
        "kind": cell.variant.kind,
        "rate": record.rate,
        "seed": record.seed,
        "variant_seed": record.variant_seed,
        "status": record.status,
        "external": "yes" if record.external else "",
        "miou": record.miou,
        "crf": record.crf,
        "miou_crf": record.miou_crf,
        "note": note,
        "warnings": "; ".join(record.warnings),
        "threads": record.threads or None,
        "images": len(cell.ids) or None,
        "epochs": record.epochs,
        "final_loss": record.curve[-1].get("loss") if record.curve else None,
        "loss_fall": record_fall(record),
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
