"""What the P of trained walks knows of classes, and what another P would do to the same features."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.report.tables import Rows
from scribblebench.store.measurement import Measurement

_COLUMNS = (
    "seed",
    "p",
    "sees_masks",
    "auc",
    "lift",
    "column_share",
    "row_entropy",
    "diagonal",
    "alpha",
    "miou",
    "gain",
    "images",
)


def affinity(measurements: Sequence[Measurement]) -> Rows:
    """Tabulate a P of a trained network a row; mIoU and gain are fractions."""
    return [
        {
            "method": measurement.method,
            "dataset": measurement.dataset,
            "protocol": measurement.protocol,
            "settings": measurement.settings,
            **{column: row.get(column) for column in _COLUMNS},
        }
        for measurement in measurements
        for row in measurement.rows
    ]
