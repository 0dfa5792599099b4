"""Table 2: published methods on the VOC validation set, ours beside them where measured."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report import published
from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows, heading
from scribblebench.report.tables.table4 import WITH_CRF, entry

DATASET = "voc2012"


def table2(groups: Sequence[Estimates]) -> Rows:
    """Tabulate the published methods for each group measured on VOC, in the paper's order.

    ``miou`` is ours without a CRF, under the group's own backbone and protocol; ``miou_crf`` with the one
    that the protocol names, ``crf``.
    """
    ours = ("status", "seeds", "miou", "miou_low", "miou_high", *WITH_CRF)
    return [
        {
            "title": row.title,
            "method": row.method,
            **heading(e.group),
            "supervision": row.supervision,
            **{key: entry(e, row.method, NONE)[key] for key in ours},
            "crf": e.group.crf,
            "paper_backbone": row.backbone,
            "paper_miou": _fraction(row.miou_percent),
            "paper_miou_crf": _fraction(row.miou_crf_percent),
            "source": row.source,
        }
        for e in groups
        if e.group.dataset == DATASET
        for row in published.table2()
    ]


def _fraction(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 6)
