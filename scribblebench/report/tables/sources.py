"""``sources.csv``: from every number of the tables to the records that it was computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from scribblebench.report.collect import NONE, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables import Rows

Place = tuple[str, Variant]
# Gives, for a row, each column with the cells behind it: places, and the seeds that they share.
Trace = Callable[[Estimates, Mapping[str, Any]], Iterator[tuple[str, Sequence[Place], Sequence[int]]]]


def sources(groups: Sequence[Estimates], tables: Mapping[str, Rows]) -> Rows:
    """Tabulate the records behind a number a row.

    ``row`` counts the data rows of ``table`` from 1; ``column`` speaks for its ``_low``, ``_high`` and p too;
    ``records`` are names of files without their ending, with blanks between them.

    Args:
        groups: the estimates.
        tables: name of the CSV file -> its rows.
    """
    by_name = {e.group.name: e for e in groups}
    found: list[dict[str, Any]] = []
    for table, rows in tables.items():
        if table not in _TRACES:
            continue
        for number, row in enumerate(rows, 1):
            e = by_name[row["group"]]
            for column, places, seeds in _TRACES[table](e, row):
                if records := _records(e, places, seeds):
                    found.append({"table": table, "row": number, "column": column, "records": records})
    return found


def _records(e: Estimates, places: Sequence[Place], seeds: Sequence[int]) -> str:
    cells = [c for place in dict.fromkeys(places) for c in e.group.at(*place) if c.record.seed in seeds]
    return " ".join(cell.record.slug for cell in cells)


def _number(e: Estimates, quantity: str, place: Place) -> tuple[str, Sequence[Place], Sequence[int]]:
    """Trace a quantity of Table 4 at one place."""
    if quantity in ("miou_crf", "crf_gain"):
        seeds = [c.record.seed for c in e.group.at(*place) if c.scored_crf is not None]
        return quantity, [place], seeds
    if quantity == "miou":
        return quantity, [place], e.seeds(place)
    places = [place, (place[0], NONE)]
    return quantity, places, [] if place[1] == NONE else e.comparable_seeds(*places)


_QUANTITIES = ("miou", "drop_ratio", "miou_crf", "crf_gain")


def _entry(e: Estimates, row: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Place], Sequence[int]]]:
    """Trace a row that is one method on one variant; undegraded where it does not say."""
    place = (row["method"], Variant(row.get("kind", NONE.kind), row.get("rate", NONE.rate)))
    for quantity in _QUANTITIES:
        if row.get(quantity) is not None:
            yield _number(e, quantity, place)


def _table4(e: Estimates, row: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Place], Sequence[int]]]:
    if row["quantity"] in _QUANTITIES:
        for variant in e.group.variants:
            if row.get(str(variant)) is not None:
                yield str(variant), *_number(e, row["quantity"], (row["method"], variant))[1:]


def _ranked(value: str) -> Trace:
    """Trace a value at a rate, or over all rates of a kind, and its gain over the baseline."""

    def trace(e: Estimates, row: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Place], Sequence[int]]]:
        rate = row.get("rate", "area")
        kind = row["kind"]
        variants = e.group.columns(kind) if rate == "area" else _at(e, kind, rate)
        own = [(row["method"], variant) for variant in variants]
        both = [*own, *((row["baseline"], variant) for variant in variants)]
        yield value, own, e.seeds(*own)
        if row["gain"] is not None:
            yield "gain", both, e.seeds(*both)

    return trace


def _at(e: Estimates, kind: str, rate: str) -> list[Variant]:
    return [v for v in e.group.variants if v.kind == kind and f"{v.rate:g}" == rate]


def _difference(e: Estimates, row: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Place], Sequence[int]]]:
    variant = Variant(row["kind"], row["rate"])
    variants = [variant] if row["quantity"] == "miou" else [NONE, variant]
    places = [(row[side], v) for side in ("method", "other") for v in variants]
    yield "difference", places, e.comparable_seeds(*places)


def _claim(e: Estimates, row: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Place], Sequence[int]]]:
    methods = (row["better"], row["worse"])
    variants = [Variant(row["kind"], rate) for rate in e.rates(row["kind"], *methods)]
    places = [(m, v) for m in methods for v in (NONE, *variants)]
    yield "difference", places, e.comparable_seeds(*places)


_TRACES: Mapping[str, Trace] = {
    "table4.csv": _table4,
    "table4_long.csv": _entry,
    "table1.csv": _entry,
    "table2.csv": _entry,
    "standings.csv": _ranked("miou"),
    "robustness.csv": _ranked("robustness"),
    "differences.csv": _difference,
    "comparisons.csv": _claim,
}
