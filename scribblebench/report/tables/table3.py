"""Table 3: how much f^{L-1}, f^L and P vary under a transform, the paper's numbers beside ours."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report import published
from scribblebench.report.tables import Rows
from scribblebench.store.measurement import Measurement


def table3(measurements: Sequence[Measurement]) -> Rows:
    """Tabulate a transform at a location a row; fractions throughout."""
    return [
        {
            "method": measurement.method,
            "dataset": measurement.dataset,
            "protocol": measurement.protocol,
            "settings": measurement.settings,
            "seed": row.get("seed"),
            "transform": row.get("transform"),
            "location": row.get("location"),
            "variation": row.get("variation"),
            "variation_elementwise": row.get("variation_elementwise"),
            "paper_variation": published.table3().get((str(row.get("transform")), str(row.get("location")))),
            "images": row.get("images"),
        }
        for measurement in measurements
        for row in measurement.rows
    ]
