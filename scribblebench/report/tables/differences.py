"""``differences.csv``: every pair of methods at every rate, paired by image and seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from scribblebench.report.bootstrap import Values
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.intervals import holm_where_tested
from scribblebench.report.standings import tested_p
from scribblebench.report.tables import Rows, heading, spread

QUANTITIES = ("miou", "loss", "drop_ratio")


def differences(groups: Sequence[Estimates]) -> Rows:
    """Tabulate what one method has more than the other, a pair at a rate a row.

    ``p`` is two-sided, and empty with one shared seed. ``p_holm`` is adjusted for all pairs at all rates of
    one group and one quantity.
    """
    return [row for e in groups for quantity in QUANTITIES for row in _adjusted(_rows(e, quantity))]


def _rows(e: Estimates, quantity: str) -> Iterator[dict[str, Any]]:
    for variant in e.group.variants:
        if quantity == "miou" or variant != NONE:
            for one, other in combinations(e.group.methods, 2):
                if row := _row(e, quantity, variant, one, other):
                    yield row


def _row(e: Estimates, quantity: str, variant: Variant, one: str, other: str) -> dict[str, Any] | None:
    variants = {NONE, variant} if quantity != "miou" else {variant}
    shared = e.comparable_seeds(*((m, v) for m in (one, other) for v in variants))
    if not shared:
        return None
    difference = e.of(
        _values(e, quantity, one, variant, shared) - _values(e, quantity, other, variant, shared)
    )
    return {
        "method": one,
        "other": other,
        **heading(e.group),
        "quantity": quantity,
        "kind": variant.kind,
        "rate": variant.rate,
        "seeds": len(shared),
        **spread("difference", difference),
        "p": tested_p(difference, len(shared)),
    }


def _values(e: Estimates, quantity: str, method: str, variant: Variant, seeds: Sequence[int]) -> Values:
    of = {"miou": e.miou_values, "loss": e.loss_values, "drop_ratio": e.ratio_values}
    return of[quantity](method, variant, seeds)


def _adjusted(rows: Iterator[dict[str, Any]]) -> Rows:
    known = list(rows)
    adjusted = holm_where_tested([row["p"] for row in known])
    return [{**row, "p_holm": p} for row, p in zip(known, adjusted, strict=True)]
