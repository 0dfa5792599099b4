"""One table a file: each turns estimates into rows of plain values, ready for CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from scribblebench.report.collect import Group

Rows = Sequence[dict[str, Any]]


def heading(group: Group) -> dict[str, str]:
    """Return the columns that say which cells a row may be compared with."""
    return {"dataset": group.dataset, "protocol": group.protocol, "settings": group.settings}


def to_csv(rows: Rows) -> str:
    r"""Write rows as CSV; the columns are those of any row, in order of appearance, and None is empty.

    >>> to_csv([{"method": "rw", "miou": 0.5}, {"method": "rw-ss", "low": None}])
    'method,miou,low\nrw,0.5,\nrw-ss,,\n'
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
