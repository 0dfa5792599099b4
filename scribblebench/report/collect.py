"""From folders of records to groups of cells that may stand in one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.report import published
from scribblebench.store.confusion import read_confusion
from scribblebench.store.document import Reading, read_folder
from scribblebench.store.record import SCHEMA, Record, read_record


class Variant(NamedTuple):
    """A degradation and how strong it is."""

    kind: str
    rate: float

    def __str__(self) -> str:
        return self.kind if self.kind == "none" else f"{self.kind} {self.rate:g}"


NONE = Variant("none", 0.0)


@dataclass(frozen=True, eq=False)
class Cell:
    """A record and what its validation images were scored.

    Attributes:
        record: the record.
        ids: validation images in sorted order; empty unless the cell is done.
        intersections: int64 (images, C), in the order of ``ids``.
        unions: int64 (images, C).
        mark: tells definitions of a method apart that bear the same name in one table; mostly empty.
    """

    record: Record
    ids: tuple[str, ...] = ()
    intersections: NDArray[np.int64] | None = None
    unions: NDArray[np.int64] | None = None
    mark: str = ""

    @property
    def method(self) -> str:
        """The method's name in tables."""
        return self.record.method + self.mark

    @property
    def title(self) -> str:
        """The method's title in tables."""
        return self.record.method_title + self.mark

    @property
    def variant(self) -> Variant:
        """The cell's degradation."""
        return Variant(self.record.kind, self.record.rate)

    @property
    def done(self) -> bool:
        """Whether the cell has a result."""
        return self.record.status == "done"


@dataclass(frozen=True, eq=False)
class Group:
    """Cells that differ only in method, variant and seed: the same dataset, protocol and images.

    Attributes:
        name: file-name safe, unique in a report.
        dataset: the dataset card's name.
        protocol: the protocol card's name.
        overrides: protocol fields replaced by ``--set``.
        cells: one for each method, variant and seed that has a record, in the order of the tables.
        superseded: earlier results of the same method, variant and seed, kept out of the tables.
        schema: of the records: those of an earlier one hold less of what decides a number.
    """

    name: str
    dataset: str
    protocol: str
    overrides: dict[str, Any]
    cells: tuple[Cell, ...]
    superseded: tuple[Cell, ...] = ()
    schema: int = SCHEMA

    @property
    def notes(self) -> list[str]:
        """What a reader must know of the records before he reads a table, a line each."""
        found = []
        if self.schema < SCHEMA:
            found.append(
                f"Records of the earlier schema {self.schema}: their identity held neither all of the data "
                "nor the rules of the parts, so they stand in tables of their own."
            )
        if ambiguous := sorted({cell.record.method for cell in self.cells if cell.mark}):
            found.append(
                f"{', '.join(ambiguous)}: cards of this name meant different methods when these cells were "
                "run. Each has a row of its own, marked by the start of its digest."
            )
        told = Counter(warning for cell in self.cells for warning in cell.record.warnings)
        return found + [f"Warning: {warning} ({count} cells)." for warning, count in told.items()]

    @property
    def settings(self) -> str:
        """The overrides as they are given on the command line, such as ``epochs=4``."""
        return " ".join(f"{key}={value}" for key, value in sorted(self.overrides.items()))

    @property
    def methods(self) -> dict[str, str]:
        """Method -> title, in the order of the tables."""
        return {cell.method: cell.title for cell in self.cells}

    @property
    def variants(self) -> list[Variant]:
        """All variants of any method, undegraded first."""
        return sorted({cell.variant for cell in self.cells}, key=_variant_order)

    @property
    def kinds(self) -> list[str]:
        """The kinds of degradation."""
        return sorted({variant.kind for variant in self.variants} - {NONE.kind})

    def columns(self, kind: str) -> list[Variant]:
        """List undegraded scribbles and the variants of one kind: the columns of its half of Table 4."""
        return [variant for variant in self.variants if variant.kind in (NONE.kind, kind)]

    def rates(self, kind: str) -> list[float]:
        """List the rates of one kind."""
        return [variant.rate for variant in self.variants if variant.kind == kind]

    def expected(self, method: str) -> list[Variant]:
        """List the variants on which a method is to be measured: undegraded, and all of its own kinds."""
        own = {cell.record.kind for cell in self.cells if cell.method == method}
        return [v for v in self.variants if v == NONE or v.kind in own]

    def on(self, kind: str) -> dict[str, str]:
        """Method -> title of the methods that have a cell of this kind."""
        with_cells = {cell.method for cell in self.cells if cell.record.kind == kind}
        return {method: title for method, title in self.methods.items() if method in with_cells}

    def at(self, method: str, variant: Variant) -> list[Cell]:
        """List the cells of a method on a variant, by seed."""
        return [c for c in self.cells if c.method == method and c.variant == variant]


def gather(
    folders: Sequence[Path],
    dataset: str | None = None,
    protocol: str | None = None,
    *,
    may_be_empty: bool = False,
) -> list[Group]:
    """Read the records of some folders and sort them into groups.

    Args:
        folders: of records.
        dataset: only records of this dataset.
        protocol: only records of this protocol.
        may_be_empty: no record is no error: there is something else to report.

    Raises:
        UserError: a folder is missing, or no record is left after filtering.
    """
    cells = [
        cell
        for folder in folders
        for cell in read_cells(folder).records
        if dataset in (None, cell.record.dataset) and protocol in (None, cell.record.protocol)
    ]
    if not cells and not may_be_empty:
        wanted = [f"{k} '{v}'" for k, v in (("dataset", dataset), ("protocol", protocol)) if v]
        where = ", ".join(str(folder) for folder in folders)
        raise UserError(
            f"No record{' of ' + ' and '.join(wanted) if wanted else ''} in {where}. "
            "Run 'scribblebench run --grid shrink' first."
        )
    return _groups(cells)


def read_cells(folder: Path) -> Reading[Cell]:
    """Read the cells of a folder; those with a damaged record or damaged matrices are listed apart.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        raise UserError(f"No folder {folder}. Run 'scribblebench run --grid shrink', or give --runs.")
    return read_folder(folder, _read_cell)


def _read_cell(path: Path) -> Cell:
    record = read_record(path)
    if record.status != "done":
        return Cell(record)
    scored = read_confusion(path.parent, record)
    order = sorted(range(len(scored.ids)), key=scored.ids.__getitem__)
    ids = tuple(scored.ids[index] for index in order)
    return Cell(record, ids, scored.intersections()[order], scored.unions()[order])


def _groups(cells: Sequence[Cell]) -> list[Group]:
    """Sort cells into groups; one without a result joins the groups of its own settings."""
    images: dict[str, dict[str, list[Cell]]] = {}
    for settings, cell in _by_settings(cells):
        images.setdefault(settings, {}).setdefault(_images_key(cell), []).append(cell)
    groups: dict[str, Group] = {}
    for settings, by_images in sorted(images.items()):
        unfinished = by_images.pop("", [])
        for key, members in sorted(by_images.items()) or [("", [])]:
            group = _group([*members, *unfinished])
            if group.name in groups:
                group = replace(group, name=f"{group.name}_{fingerprint([settings, key])[:6]}")
            groups[group.name] = group
    return [groups[name] for name in sorted(groups)]


def conditions(record: Record) -> dict[str, Any]:
    """Return the parts of a record's identity that every cell of a table must share, as far as it has them.

    The same card names may stand for other conditions: a card that was edited, other weights, another
    folder of data.
    """
    training = record.identity.get("training", {})
    parts = {
        "protocol": training.get("protocol"),
        "evaluation": record.identity.get("evaluation"),
        # In the earlier schema one digest covered all of the training data that was looked at.
        "training data": training.get("data") or training.get("photographs"),
        "validation data": record.identity.get("val"),
    }
    return {name: part for name, part in parts.items() if part is not None}


def _by_settings(cells: Sequence[Cell]) -> Iterator[tuple[str, Cell]]:
    """Yield cells with a key of what their table shares; full supervision joins every source of strokes."""
    strokes: dict[str, set[str]] = {}
    for cell in cells:
        strokes.setdefault(_settings_key(cell.record), set()).add(_strokes(cell.record))
    for cell in cells:
        settings, own = _settings_key(cell.record), _strokes(cell.record)
        sources = {own} if own else strokes[settings] - {""} or {""}
        yield from ((f"{settings} {source}", cell) for source in sorted(sources))


def _strokes(record: Record) -> str:
    """Digest of the strokes that a cell was trained on, before degradation; empty where it saw none."""
    labels = record.identity.get("training", {}).get("labels", {})
    return str(labels.get("strokes", ""))


def _settings_key(record: Record) -> str:
    names = [record.schema, record.dataset, record.protocol, record.overrides, record.classes]
    return fingerprint([*names, conditions(record)])


def _definition(record: Record) -> str:
    """Digest of what a method is made of: a card may be edited under its name."""
    training = record.identity.get("training", {})
    return fingerprint([training.get(key) for key in ("supervision", "network", "losses", "rules")])


def _marked(cells: Sequence[Cell]) -> list[Cell]:
    """Mark the cells of methods whose name stands for several definitions."""
    definitions: dict[str, set[str]] = {}
    for cell in cells:
        definitions.setdefault(cell.record.method, set()).add(_definition(cell.record))
    return [
        replace(cell, mark=f" [{_definition(cell.record)[:6]}]")
        if len(definitions[cell.record.method]) > 1
        else cell
        for cell in cells
    ]


def _images_key(cell: Cell) -> str:
    return fingerprint(cell.ids) if cell.done else ""


def _group(cells: Sequence[Cell]) -> Group:
    latest: dict[tuple[str, Variant, int], Cell] = {}
    superseded: list[Cell] = []
    for cell in sorted(_marked(cells), key=lambda c: (c.done, c.record.started)):
        place = (cell.method, cell.variant, cell.record.seed)
        if place in latest:
            superseded.append(latest[place])
        latest[place] = cell
    first = cells[0].record
    name = "_".join(
        [first.dataset, first.protocol, *(f"{k}-{v}" for k, v in sorted(first.overrides.items()))]
    )
    return Group(
        name=re.sub(r"[^A-Za-z0-9._+-]+", "-", name)[:80],
        dataset=first.dataset,
        protocol=first.protocol,
        overrides=first.overrides,
        cells=tuple(sorted(latest.values(), key=_cell_order)),
        superseded=tuple(superseded),
        schema=first.schema,
    )


def _cell_order(cell: Cell) -> tuple[Any, ...]:
    known = [row.method for row in published.table1()]
    method = cell.record.method
    rank = known.index(method) if method in known else len(known)
    return (rank, cell.method, _variant_order(cell.variant), cell.record.seed)


def _variant_order(variant: Variant) -> tuple[bool, str, float]:
    return (variant.kind != "none", variant.kind, variant.rate)
