"""Table 1: the ablation on undegraded scribbles, the paper's column beside ours."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report import published
from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading
from scribblebench.report.tables.table4 import WITH_CRF, entry


def table1(groups: Sequence[Estimates]) -> Rows:
    """Tabulate all rows of Table 1, measured or not, in the paper's order."""
    ours = ("status", "seeds", "miou", "miou_low", "miou_high", "paper_miou", *WITH_CRF)
    rows = []
    for e in groups:
        for row in published.table1():
            found = entry(e, row.method, NONE)
            rows.append(
                {
                    "method": row.method,
                    **heading(e.group),
                    "random_walk": row.random_walk,
                    "operation": row.operation,
                    "location": row.location,
                    **{key: found[key] for key in ours},
                }
            )
    return rows
