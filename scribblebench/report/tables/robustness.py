"""``robustness.csv``: the area under each method's degradation curve, one number a method and kind."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report.estimates import Estimates
from scribblebench.report.standings import baseline, robustness
from scribblebench.report.tables import Rows, heading, spread


def areas(groups: Sequence[Estimates]) -> Rows:
    """Tabulate the methods that have every rate of a kind on one seed or more.

    ``robustness`` is the mean mIoU over all rates from undegraded scribbles to the highest
    (:meth:`~scribblebench.report.estimates.Estimates.area_values`), ``gain`` how much it is above the
    baseline's, paired by image and seed.
    """
    return [
        {
            "method": row.method,
            "title": e.group.methods[row.method],
            **heading(e.group),
            "kind": kind,
            "rates": " ".join(f"{variant.rate:g}" for variant in e.group.columns(kind)),
            "seeds": row.seeds,
            **spread("robustness", row.value),
            "baseline": baseline(list(e.group.on(kind))),
            "shared_seeds": row.gain_seeds,
            **spread("gain", row.gain),
            "p": row.p,
        }
        for e in groups
        for kind in e.group.kinds
        for row in robustness(e, kind, list(e.group.on(kind)))
        if row.value is not None
    ]
