"""The first table of a group on the page: who is best at each rate, against the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.standings import Standing, baseline, compared, robustness, standings
from scribblebench.report.tables.table4 import status


@dataclass(frozen=True)
class Leaders:
    """One kind of degradation: a row a method, a column a rate, the area under the curve last.

    Attributes:
        kind: of degradation.
        columns: headings.
        baseline: title of the method that others are compared with.
        rows: title -> what stands in each column, and why nothing does.
        best: a sentence for each column: which is best and from which it is not told apart.
    """

    kind: str
    columns: tuple[str, ...]
    baseline: str
    rows: Sequence[tuple[str, Sequence[tuple[Standing, str]]]]
    best: Sequence[str]


def leaders(estimates: Estimates) -> list[Leaders]:
    """Lay out every kind that methods can be compared on."""
    return [_of(estimates, kind, methods) for kind, methods in compared(estimates).items()]


def _of(e: Estimates, kind: str, methods: Sequence[str]) -> Leaders:
    titles = e.group.methods
    variants = e.group.columns(kind)
    table = [standings(e, variant, methods) for variant in variants]
    why = [[status(e.group, method, variant) for method in methods] for variant in variants]
    columns = ["none" if variant == NONE else f"{variant.rate:g}" for variant in variants]
    if kind != NONE.kind:
        table.append(robustness(e, kind, methods))
        why.append(["not at every rate"] * len(methods))
        columns.append("area")
    across = zip(*table, strict=True)
    reasons = zip(*why, strict=True)
    rows = [
        (titles[method], list(zip(found, said, strict=True)))
        for method, found, said in zip(methods, across, reasons, strict=True)
    ]
    best = [_sentence(name, column, titles) for name, column in zip(columns, table, strict=True)]
    return Leaders(kind, tuple(columns), titles[baseline(methods)], rows, [text for text in best if text])


def _sentence(column: str, rows: Sequence[Standing], titles: dict[str, str]) -> str:
    best = next((row for row in rows if row.best), None)
    if best is None or len(rows) < 2:
        return ""
    tied = [titles[row.method] for row in rows if row.tied]
    others = sum(row.value is not None for row in rows) - 1
    if not others:
        apart = "the only one measured"
    elif sum(row.untested for row in rows) == others:
        apart = "too few seeds in common to test"
    elif not tied:
        apart = "told apart from all others" + " that could be tested" * any(row.untested for row in rows)
    elif len(tied) == others:
        apart = "not told apart from any other"
    else:
        apart = f"not told apart from {', '.join(tied)}"
    return f"{column}: {titles[best.method]}, {apart}"
