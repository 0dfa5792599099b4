"""Table 4: mIoU and drop ratio against the rate of drop and shrink, the paper's numbers beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scribblebench.report import published
from scribblebench.report.collect import Group, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading, spread

# Numbers only, so that a column can be read as numbers; the long table says why one is missing.
_QUANTITIES = (
    "miou",
    "miou_low",
    "miou_high",
    "drop_ratio",
    "drop_ratio_low",
    "drop_ratio_high",
    "paper_miou",
    "paper_drop_ratio",
    "seeds",
    "seeds_falling",
)
WITH_CRF = ("miou_crf", "miou_crf_low", "miou_crf_high", "crf_gain", "crf_gain_low", "crf_gain_high")


def table4_long(groups: Sequence[Estimates]) -> Rows:
    """Tabulate one method on one variant a row."""
    return [
        {"method": method, "title": title, **heading(e.group), "kind": v.kind, "rate": v.rate}
        | entry(e, method, v)
        for e in groups
        for method, title in e.group.methods.items()
        for v in e.group.expected(method)
    ]


def table4(groups: Sequence[Estimates]) -> Rows:
    """Lay the same numbers out as the paper does: methods and quantities down, rates across."""
    rows: list[dict[str, Any]] = []
    for e in groups:
        for method, title in e.group.methods.items():
            entries = {str(v): entry(e, method, v) for v in e.group.variants}
            rows += [
                {"method": method, "title": title, **heading(e.group), "quantity": quantity}
                | {variant: values[quantity] for variant, values in entries.items()}
                for quantity in (*_QUANTITIES, *(WITH_CRF if e.group.crf else ()))
            ]
    return rows


def entry(estimates: Estimates, method: str, variant: Variant) -> dict[str, Any]:
    """Return everything known about a method on a variant; fractions throughout.

    ``paper_miou`` is printed for undegraded scribbles (Table 1) and derived as ``m0 (1 - ratio)`` elsewhere.
    ``miou`` is always without a CRF; where the protocol names one, ``miou_crf`` is with it and ``crf_gain``
    the paired difference.
    """
    group = estimates.group
    return {
        "status": status(group, method, variant),
        "seeds": len(estimates.seeds((method, variant))),
        **spread("miou", estimates.miou(method, variant)),
        **spread("drop_ratio", estimates.drop_ratio(method, variant)),
        "paper_miou": published.miou(method, *variant),
        "paper_drop_ratio": published.table4().get((method, *variant)),
        "seeds_falling": estimates.falling(method, variant),
        **spread("miou_crf", estimates.miou_crf(method, variant)),
        **spread("crf_gain", estimates.crf_gain(method, variant)),
    }


def status(group: Group, method: str, variant: Variant) -> str:
    """Return ``done`` if any seed is, else the latest seed's status and reason, else ``missing``."""
    cells = group.at(method, variant)
    if not cells:
        return "missing"
    if any(cell.done for cell in cells):
        return "done"
    record = cells[-1].record
    return f"{record.status}: {record.reason}" if record.reason else record.status
