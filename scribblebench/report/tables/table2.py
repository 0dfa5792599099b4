"""Table 2: published methods on the VOC validation set, ours beside them where measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from scribblebench.core.cards import MethodCard
from scribblebench.core.library import Library
from scribblebench.report import published
from scribblebench.report.collect import NONE, Group
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading
from scribblebench.report.tables.table4 import WITH_CRF, entry

DATASET = "voc2012"
# The grid whose methods are compared, whether a publication has a number of them or not.
GRID = "comparison"
# What the publications call it.
_SUPERVISION = {"strokes": "scribble", "points": "point", "boxes": "box", "tags": "image", "masks": "full"}


def table2(groups: Sequence[Estimates]) -> Rows:
    """Tabulate the compared methods for each group measured on VOC.

    First the paper's, in its order, then what later publications print, then the methods of the grid
    ``comparison`` for which nobody printed a number, where measured, and external results. ``miou`` is ours
    without a CRF, under the group's own backbone and protocol, ``miou_crf`` with the one that the protocol
    names, ``crf``, and ``note`` what the method's card says of its stand-ins.
    """
    return [row for e in groups if e.group.dataset == DATASET for row in _rows(e)]


def _rows(e: Estimates) -> Iterator[dict[str, Any]]:
    listed = [*published.table2(), *published.later()]
    for row in listed:
        yield _row(e, row.title, row.method, row.supervision, row)
    others = set(_compared()) - {row.method for row in listed}
    for method, title in e.group.methods.items():
        if method in others and e.group.at(method, NONE):
            yield _row(e, title, method, _SUPERVISION[_compared()[method].supervision])
    for method, title in e.group.external.items():
        if e.group.at(method, NONE):
            yield _row(e, title, method, "")


def _row(
    e: Estimates, title: str, method: str, supervision: str, row: published.ComparedRow | None = None
) -> dict[str, Any]:
    return {
        "title": title,
        "method": method,
        **heading(e.group),
        "supervision": supervision,
        **_ours(e, method),
        "paper_backbone": row.backbone if row else "",
        "paper_miou": _fraction(row.miou_percent) if row else None,
        "paper_miou_crf": _fraction(row.miou_crf_percent) if row else None,
        "source": row.source if row else "",
    }


def _ours(e: Estimates, method: str) -> dict[str, Any]:
    """What was measured of a method, on what, and what its card replaces."""
    known = entry(e, method, NONE)
    ours = ("status", "seeds", "miou", "miou_low", "miou_high", *WITH_CRF)
    return {
        **{key: known[key] for key in ours},
        "crf": e.group.crf,
        "backbone": _backbone(e.group),
        "note": _compared()[method].note if method in _compared() else "",
    }


def _backbone(group: Group) -> str:
    """The backbone of a group's protocol, as a record of it says."""
    training = group.sample.identity.get("training", {})
    return str(training.get("protocol", {}).get("backbone", ""))


@cache
def _compared() -> dict[str, MethodCard]:
    """The cards of the methods that are compared, by name."""
    library = Library()
    return {name: library.method(name) for name in library.grid(GRID).methods}


def _fraction(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 6)
