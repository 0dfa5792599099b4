"""What each kind of supervision costs people, and what methods make of it, whole and degraded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scribblebench.report import published
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.conditions import supervision
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading, spread


def annotation(groups: Sequence[Estimates]) -> Rows:
    """Tabulate a method on a variant a row, for groups with more than one kind of supervision.

    ``seconds_per_image`` was measured on VOC by others: on another dataset it is a scale, no measurement.
    """
    return [row for e in groups if len(kinds(e)) > 1 for row in _rows(e)]


def kinds(e: Estimates) -> dict[str, list[str]]:
    """Kind of supervision -> the group's methods that see it and are done on undegraded data."""
    found: dict[str, list[str]] = {}
    for method in e.group.methods:
        if done := [cell for cell in e.group.at(method, NONE) if cell.done]:
            found.setdefault(supervision(done[0].record), []).append(method)
    return {name: found[name] for name in published.annotation() if name in found}


def lowest(e: Estimates, method: str) -> tuple[Variant, float] | None:
    """The degradation under which a method's mean mIoU is lowest; None where it was never degraded."""
    means = [(v, found.value) for v in e.group.variants if v != NONE and (found := e.miou(method, v))]
    return min(means, key=lambda item: item[1], default=None)


def _rows(e: Estimates) -> Iterator[dict[str, Any]]:
    costs = published.annotation()
    for kind, methods in kinds(e).items():
        for method in methods:
            for variant in e.group.variants:
                if (found := e.miou(method, variant)) is not None:
                    yield {
                        "supervision": kind,
                        "method": method,
                        "title": e.group.methods[method],
                        **heading(e.group),
                        "kind": variant.kind,
                        "rate": variant.rate,
                        **spread("miou", found),
                        "seeds": len(e.seeds((method, variant))),
                        "seconds_per_image": costs[kind].seconds_per_image,
                        "seconds_note": costs[kind].note,
                        "seconds_source": costs[kind].source,
                    }
