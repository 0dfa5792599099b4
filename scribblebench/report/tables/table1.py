"""Table 1: the ablation on undegraded scribbles, the paper's column beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scribblebench.report import published
from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading
from scribblebench.report.tables.table4 import WITH_CRF, entry

# The paper's baseline is this model, by the parameters of its Table 5; our ``baseline`` is the walk's network
# without the walk. Beside each other they tell how much of the paper's step to +RW may be the head.
_BESIDE = ("baseline-aspp",)


def table1(groups: Sequence[Estimates]) -> Rows:
    """Tabulate all rows of Table 1, measured or not, in the paper's order; then ours, where measured."""
    rows: list[dict[str, Any]] = []
    for e in groups:
        rows += [
            _row(e, row.method, row.random_walk, row.operation, row.location) for row in published.table1()
        ]
        rows += [_row(e, method, "no", "", "") for method in _BESIDE if method in e.group.methods]
    return rows


def _row(e: Estimates, method: str, random_walk: str, operation: str, location: str) -> dict[str, Any]:
    found = entry(e, method, NONE)
    shown = ("status", "seeds", "miou", "miou_low", "miou_high", "paper_miou", *WITH_CRF)
    return {
        "method": method,
        **heading(e.group),
        "random_walk": random_walk,
        "operation": operation,
        "location": location,
        **{key: found[key] for key in shown},
    }
