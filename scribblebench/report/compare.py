"""Two results folders beside each other: differences of matched cells, and what else differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scribblebench.core.files import write_atomic
from scribblebench.report import conditions
from scribblebench.report.collect import Cell, Group, Scored, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.intervals import holm_where_tested
from scribblebench.report.printed import (
    Layout,
    Printed,
    lay_out,
    p_value,
    percent,
    plain,
    to_latex,
    to_markdown,
)
from scribblebench.report.standings import tested_p
from scribblebench.report.tables import Rows, spread, to_csv

_LAYOUT = Layout(
    "B less A, paired by image and seed, in points",
    {
        "method": plain("method"),
        "scribbles": lambda row: str(Variant(row["kind"], row["rate"])),
        "A, %": percent("a"),
        "B, %": percent("b"),
        "difference": percent("difference"),
        "seeds": plain("seeds"),
        "images": plain("images"),
        "p, Holm": p_value("p_holm"),
    },
)
# Longer values, such as a whole list of images, are named by their beginning.
_SHOWN = 120


@dataclass(frozen=True)
class Compared:
    """What two results have in common, and what not.

    Attributes:
        differences: a method on a variant that both have on one seed or more, a row.
        differs: a condition in which they differ, a row, with both values.
        unmatched: a cell that only one of them has, a row.
    """

    differences: Rows
    differs: Rows
    unmatched: Rows

    def printed(self) -> list[Printed]:
        """Return the tables for people."""
        tables = lay_out(_LAYOUT, self.differences)
        counts = Counter((row["only in"], row["dataset"], row["method"]) for row in self.unmatched)
        alone = [
            {"only in": side, "dataset": dataset, "method": method, "cells": count}
            for (side, dataset, method), count in counts.items()
        ]
        for title, rows in (("What differs", self.differs), ("Only in one", alone)):
            if rows:
                body = [[str(value) for value in row.values()] for row in rows]
                tables.append(Printed(title, title.lower().replace(" ", "-"), list(rows[0]), body))
        return tables

    def write(self, out: Path) -> list[Path]:
        """Write the tables; ``compare.md``, which holds all of them, comes last.

        Raises:
            UserError: the folder cannot be written.
        """
        tables = self.printed()
        files = {
            "differences.csv": to_csv(self.differences),
            "differs.csv": to_csv(self.differs),
            "unmatched.csv": to_csv(self.unmatched),
            "compare.tex": to_latex(tables),
            "compare.md": to_markdown(tables),
        }
        for name, content in files.items():
            write_atomic(out / name, content)
        return [out / name for name in files]


def compare_results(a: Sequence[Group], b: Sequence[Group], resamples: int) -> Compared:
    """Match the cells of two results by dataset, protocol, settings, method, variant and seed.

    Where a dataset has one group on either side and these bear other names, the two are matched all the
    same: that the protocol differs stands in ``differs``. Where other images were scored, those in common
    are compared. ``difference`` is B less A, ``p`` two-sided; ``p_holm`` is adjusted within a pair of groups.
    """
    matched = list(_pairs(a, b))
    differences: list[dict[str, Any]] = []
    differs: list[dict[str, Any]] = []
    for one, other in matched:
        differences += _differences(one, other, resamples)
        differs += _differs(one, other)
    return Compared(differences, differs, _unmatched(a, b, matched))


def _pairs(a: Sequence[Group], b: Sequence[Group]) -> Iterator[tuple[Group, Group]]:
    def named(group: Group) -> tuple[str, ...]:
        return group.dataset, group.protocol, group.settings, group.name

    left = {named(group): group for group in b}
    rest = []
    for group in a:
        if named(group) in left:
            yield group, left.pop(named(group))
        else:
            rest.append(group)
    for group in rest:
        alone = sum(other.dataset == group.dataset for other in rest) == 1
        others = [other for other in left.values() if other.dataset == group.dataset]
        if alone and len(others) == 1:
            yield group, left.pop(named(others[0]))


def _differences(a: Group, b: Group, resamples: int) -> list[dict[str, Any]]:
    common = _images(a) & _images(b)
    if not common:
        return []
    sides = [Estimates(_on(group, common), resamples) for group in (a, b)]
    rows = []
    for place in dict.fromkeys((cell.method, cell.variant) for cell in a.cells):
        seeds = sorted(set(sides[0].seeds(place)) & set(sides[1].seeds(place)))
        if seeds:
            rows.append(_row(a, sides, place, seeds))
    adjusted = holm_where_tested([row["p"] for row in rows])
    return [{**row, "p_holm": p} for row, p in zip(rows, adjusted, strict=True)]


def _row(
    a: Group, sides: Sequence[Estimates], place: tuple[str, Variant], seeds: Sequence[int]
) -> dict[str, Any]:
    values = [side.miou_values(*place, seeds) for side in sides]
    difference = sides[0].of(values[1] - values[0])
    return {
        "method": place[0],
        "dataset": a.dataset,
        "protocol": a.protocol,
        "settings": a.settings,
        "group": a.name,
        "kind": place[1].kind,
        "rate": place[1].rate,
        "seeds": len(seeds),
        "images": sides[0].images,
        **spread("a", sides[0].fraction(values[0])),
        **spread("b", sides[1].fraction(values[1])),
        **spread("difference", difference),
        "p": tested_p(difference, len(seeds)),
    }


def _images(group: Group) -> set[str]:
    return {image for cell in group.cells for image in cell.ids}


def _on(group: Group, images: set[str]) -> Group:
    """Keep some images of a group's cells alone."""
    return replace(group, cells=tuple(_cell_on(cell, images) for cell in group.cells))


def _cell_on(cell: Cell, images: set[str]) -> Cell:
    kept = [index for index, image in enumerate(cell.ids) if image in images]

    def scored(counted: Scored | None) -> Scored | None:
        return counted and Scored(counted.intersections[kept], counted.unions[kept])

    ids = tuple(cell.ids[index] for index in kept)
    return replace(cell, ids=ids, scored=scored(cell.scored), scored_crf=scored(cell.scored_crf))


def _differs(a: Group, b: Group) -> list[dict[str, Any]]:
    """List what differs in protocol, data, rules, methods, programs and machines."""
    sides = [_described(a), _described(b)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return [
        {"dataset": a.dataset, "what": name, "a": _short(one), "b": _short(other)}
        for name in names
        if (one := sides[0].get(name)) != (other := sides[1].get(name))
    ]


def _described(group: Group) -> dict[str, Any]:
    known = {
        "protocol": group.protocol,
        "settings": group.settings,
        "schema": group.schema,
        "classes": list(group.sample.classes),
        "conditions": conditions.conditions(group.sample),
        "validation images": sorted(_images(group)),
        "method": {cell.method: conditions.method(cell.record)[:10] for cell in group.cells},
    }
    flat = dict(_flat("", known))
    records: dict[str, Callable[[Cell], Mapping[str, Any]]] = {
        "version": lambda cell: cell.record.versions,
        "ran on": lambda cell: {"device": cell.record.device, "commit": cell.record.commit},
    }
    for title, read in records.items():
        found: dict[str, set[str]] = {}
        for cell in group.cells:
            for name, value in read(cell).items():
                found.setdefault(f"{title}: {name}", set()).add(str(value))
        flat |= {name: ", ".join(sorted(values)) for name, values in found.items()}
    return flat


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(f"{path}: {key}" if path else str(key), part)
    else:
        yield path, value


def _short(value: Any) -> str:
    if isinstance(value, list) and len(str(value)) > _SHOWN:
        return f"{len(value)}, from {value[0]} to {value[-1]}"
    text = "absent" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}\u2026"


def _unmatched(
    a: Sequence[Group], b: Sequence[Group], matched: Sequence[tuple[Group, Group]]
) -> list[dict[str, Any]]:
    """List cells that are done on one side and have no partner that is done on the other."""
    partner = {id(one): other for pair in matched for one, other in (pair, pair[::-1])}
    rows = []
    for side, groups in (("A", a), ("B", b)):
        for group in groups:
            other = partner.get(id(group))
            there = _done(other) if other else set()
            rows += [
                {"only in": side, "dataset": group.dataset, "method": cell.method, "cell": cell.record.slug}
                for cell in group.cells
                if cell.done and (cell.method, cell.variant, cell.record.seed) not in there
            ]
    return rows


def _done(group: Group) -> set[tuple[str, Variant, int]]:
    return {(cell.method, cell.variant, cell.record.seed) for cell in group.cells if cell.done}
