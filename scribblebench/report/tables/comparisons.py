"""``comparisons.csv``: inequalities tested, with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report.comparisons import compare
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading


def comparisons(groups: Sequence[Estimates]) -> Rows:
    """Tabulate every inequality that could be tested."""
    return [
        {
            **heading(e.group),
            "worse": c.claim.worse,
            "better": c.claim.better,
            "quantity": c.claim.quantity,
            "kind": c.claim.kind,
            "rates": " ".join(f"{rate:g}" for rate in c.rates),
            "seeds": c.seeds,
            "difference": c.difference.value,
            "difference_low": c.difference.low,
            "difference_high": c.difference.high,
            "p": c.p,
            "p_holm": c.p_holm,
            "verdict": c.verdict,
            "source": c.claim.source,
        }
        for e in groups
        for c in compare(e)
    ]
