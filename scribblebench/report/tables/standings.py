"""``standings.csv``: every method against the baseline at every rate, and over all rates of a kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.standings import Standing, baseline, robustness
from scribblebench.report.standings import standings as ranked
from scribblebench.report.tables import Rows, heading, spread


def standings(groups: Sequence[Estimates]) -> Rows:
    """Tabulate a method at a rate a row; ``rate`` is ``area`` for the area under the curve of a kind."""
    return [row for e in groups for row in _rows(e)]


def _rows(e: Estimates) -> Iterator[dict[str, Any]]:
    for variant in e.group.variants:
        methods = list(e.group.methods if variant == NONE else e.group.on(variant.kind))
        for row in ranked(e, variant, methods):
            yield _row(e, row, variant.kind, f"{variant.rate:g}", methods)
    for kind in e.group.kinds:
        methods = list(e.group.on(kind))
        for row in robustness(e, kind, methods):
            yield _row(e, row, kind, "area", methods)


def _row(e: Estimates, row: Standing, kind: str, rate: str, methods: Sequence[str]) -> dict[str, Any]:
    return {
        "method": row.method,
        **heading(e.group),
        "kind": kind,
        "rate": rate,
        "seeds": row.seeds,
        **spread("miou", row.value),
        "baseline": baseline(methods),
        "shared_seeds": row.gain_seeds,
        **spread("gain", row.gain),
        "p": row.p,
        "best": _verdict(row),
    }


def _verdict(row: Standing) -> str:
    if row.value is None:
        return ""
    return "yes" if row.best else "not told apart" if row.tied else "not tested" if row.untested else "no"
