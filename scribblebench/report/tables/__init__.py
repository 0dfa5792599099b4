"""One table a file: each turns estimates into rows of plain values, ready for CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from scribblebench.report.collect import Group

Rows = Sequence[dict[str, Any]]


def heading(group: Group) -> dict[str, str]:
    """Return the columns that say which cells a row may be compared with."""
    return {
        "dataset": group.dataset,
        "protocol": group.protocol,
        "settings": group.settings,
        "schema": str(group.schema),
    }


# What a spreadsheet takes for a formula, unless it is a number.
_FORMULA = re.compile(r"[=+\-@\t\r](?![0-9.,]*(?:[eE][+-]?[0-9]+)?$)")


def to_csv(rows: Rows) -> str:
    r"""Write rows as CSV; the columns are those of any row, in order of appearance, and None is empty.

    >>> to_csv([{"method": "rw", "miou": 0.5}, {"method": "rw-ss", "low": None}])
    'method,miou,low\nrw,0.5,\nrw-ss,,\n'

    A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay as they are.

    >>> to_csv([{"method": "=1+1", "miou": -0.5, "paper": "+0.31"}])
    "method,miou,paper\n'=1+1,-0.5,+0.31\n"
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
