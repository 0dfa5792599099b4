"""One table a file: each turns estimates into rows of plain values, ready for CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from scribblebench.report.collect import Group, one_line
from scribblebench.report.intervals import Estimate

Rows = Sequence[dict[str, Any]]


def heading(group: Group) -> dict[str, str]:
    """Return the columns that say which cells a row may be compared with: those of the same group."""
    return {
        "dataset": group.dataset,
        "protocol": group.protocol,
        "settings": group.settings,
        "schema": str(group.schema),
        "group": group.name,
    }


def spread(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    """Return the columns of an estimate and its interval, empty without one."""
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


# What a spreadsheet takes for a formula, unless it is a number.
_FORMULA = re.compile(r"[=@]|[+-](?![0-9.,]*(?:[eE][+-]?[0-9]+)?$)")


def to_csv(rows: Rows) -> str:
    r"""Write rows as CSV; the columns are those of any row, in order of appearance, and None is empty.

    >>> to_csv([{"method": "rw", "miou": 0.5}, {"method": "rw-ss", "low": None}])
    'method,miou,low\nrw,0.5,\nrw-ss,,\n'

    A text is put on one line; one that a spreadsheet would run as a formula gets an apostrophe in front.
    Numbers stay as they are.

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
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if _FORMULA.match(text) else text
