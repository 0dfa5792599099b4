"""CSV of texts that people wrote: no spreadsheet runs them, and every other reader gets them back."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from scribblebench.report.collect import one_line
from scribblebench.report.tables import to_csv

TEXTS = st.one_of(st.text(), st.text("=+-@\t\r\n,\"'0189.eE ", max_size=8))


@given(TEXTS)
def test_no_text_starts_as_a_formula_and_none_is_lost(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(to_csv([{"title": text, "rest": "x"}]), newline=""))
    read = row["title"]
    assert read in (one_line(text), f"'{one_line(text)}")
    assert not read.startswith(("=", "@", "\t", "\r"))
    assert not (read.startswith(("+", "-")) and any(c.isalpha() and c not in "eE" for c in read))


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_stay_numbers(number: float) -> None:
    (row,) = csv.DictReader(io.StringIO(to_csv([{"value": number, "as printed": f"{number:+}"}])))
    assert [float(row["value"]), float(row["as printed"])] == [float(number)] * 2
