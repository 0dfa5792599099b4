"""From folders of records to groups of cells that may stand in one table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.report import conditions, published
from scribblebench.store.confusion import PerImageConfusion, read_confusion
from scribblebench.store.document import Reading, read_folder
from scribblebench.store.record import SCHEMA, Record, read_record


class Variant(NamedTuple):
    """A degradation and how strong it is."""

    kind: str
    rate: float

    def __str__(self) -> str:
        return self.kind if self.kind == "none" else f"{self.kind} {self.rate:g}"


NONE = Variant("none", 0.0)
# Characters of a title or of a group's name.
_LONGEST = 80


def one_line(text: str) -> str:
    r"""Write a text on one line, without characters that a terminal or a figure would obey.

    >>> one_line("RW\n\x1b[31mred")
    'RW [31mred'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def file_safe(name: str) -> str:
    """Replace what a file name cannot hold everywhere.

    >>> file_safe("curves_mine:Blur [1a2b3c]_toy")
    'curves_mine-Blur-1a2b3c-_toy'
    """
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name)


class Scored(NamedTuple):
    """Pixels of each image and class, int64 (images, C)."""

    intersections: NDArray[np.int64]
    unions: NDArray[np.int64]

    @classmethod
    def of(cls, counted: PerImageConfusion, order: Sequence[int]) -> Scored:
        """Take what is needed from confusion matrices, images in another order."""
        return cls(counted.intersections()[order], counted.unions()[order])


@dataclass(frozen=True, eq=False)
class Cell:
    """A record and what its validation images were scored.

    Attributes:
        record: the record.
        ids: validation images in sorted order; empty unless the cell is done.
        scored: what was counted on them, in the order of ``ids``.
        scored_crf: the same after the CRF, where there was one.
        mark: behind the method's name, where that stands for several definitions; mostly empty.
        kind_mark: the same of the degradation.
    """

    record: Record
    ids: tuple[str, ...] = ()
    scored: Scored | None = None
    scored_crf: Scored | None = None
    mark: str = ""
    kind_mark: str = ""

    @property
    def method(self) -> str:
        """The method's name in tables."""
        return self.record.method + self.mark

    @property
    def title(self) -> str:
        """The method's title in tables: one line, cut where it is very long."""
        title = one_line(self.record.method_title)
        return (title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}\u2026") + self.mark

    @property
    def variant(self) -> Variant:
        """The cell's degradation."""
        return Variant(self.record.kind + self.kind_mark, self.record.rate)

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
        differs: in what it differs from other groups of the same dataset, protocol and settings.
    """

    name: str
    dataset: str
    protocol: str
    overrides: dict[str, Any]
    cells: tuple[Cell, ...]
    superseded: tuple[Cell, ...] = ()
    schema: int = SCHEMA
    differs: tuple[str, ...] = ()

    @property
    def sample(self) -> Record:
        """A record that holds what the cells share: one of our own where there is any."""
        return min(self.cells, key=lambda cell: cell.record.external).record

    @property
    def external(self) -> dict[str, str]:
        """Method -> title of those whose predictions another program made."""
        return {cell.method: cell.title for cell in self.cells if cell.record.external}

    @property
    def settings(self) -> str:
        """The overrides as they are given on the command line, such as ``epochs=4``."""
        return " ".join(f"{key}={value}" for key, value in sorted(self.overrides.items()))

    @property
    def crf(self) -> str:
        """The CRF behind the predictions of every cell, as the protocol names it; empty without one."""
        return max(cell.record.crf for cell in self.cells)

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
        own = {cell.variant.kind for cell in self.cells if cell.method == method}
        return [v for v in self.variants if v == NONE or v.kind in own]

    def on(self, kind: str) -> dict[str, str]:
        """Method -> title of the methods that have a cell of this kind."""
        with_cells = {cell.method for cell in self.cells if cell.variant.kind == kind}
        return {method: title for method, title in self.methods.items() if method in with_cells}

    def at(self, method: str, variant: Variant) -> list[Cell]:
        """List the cells of a method on a variant, by seed."""
        return self._places.get((method, variant), [])

    @cached_property
    def _places(self) -> dict[tuple[str, Variant], list[Cell]]:
        places: dict[tuple[str, Variant], list[Cell]] = {}
        for cell in self.cells:
            places.setdefault((cell.method, cell.variant), []).append(cell)
        return places


def gather(
    folders: Sequence[Path],
    dataset: str | None = None,
    protocol: str | None = None,
    *,
    may_be_empty: bool = False,
) -> Reading[Group]:
    """Read the records of some folders and sort them into groups; damaged files are listed apart.

    Args:
        folders: of records.
        dataset: only records of this dataset.
        protocol: only records of this protocol.
        may_be_empty: no record is no error: there is something else to report.

    Raises:
        UserError: a folder is missing, or no record is left after filtering.
    """
    read = [read_cells(folder) for folder in dict.fromkeys(folders)]
    damaged = [file for reading in read for file in reading.damaged]
    cells = [
        cell
        for reading in read
        for cell in reading.records
        if dataset in (None, cell.record.dataset) and protocol in (None, cell.record.protocol)
    ]
    if not cells and not may_be_empty:
        wanted = [f"{k} '{v}'" for k, v in (("dataset", dataset), ("protocol", protocol)) if v]
        where = ", ".join(str(folder) for folder in folders)
        raise UserError(
            f"No record{' of ' + ' and '.join(wanted) if wanted else ''} in {where}"
            + (f" but {len(damaged)} damaged, such as: {damaged[0][1]}" if damaged else ".")
            + " Run 'scribblebench run --grid shrink' first."
        )
    return Reading(_groups(cells), damaged)


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
    counted = read_confusion(path.parent, record)
    order = sorted(range(len(counted.ids)), key=counted.ids.__getitem__)
    ids = tuple(counted.ids[index] for index in order)
    refined = None if counted.crf is None else Scored.of(counted.crf, order)
    return Cell(record, ids, Scored.of(counted, order), refined)


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
    return _told_apart([groups[name] for name in sorted(groups)])


def _by_settings(cells: Sequence[Cell]) -> Iterator[tuple[str, Cell]]:
    """Yield cells with a key of what their table shares; full supervision joins every source of strokes.

    An external result joins every table of the protocol that it claims on the same images.
    """
    own = [cell for cell in cells if not cell.record.external]
    keys = [(conditions.settings(cell.record), conditions.strokes(cell.record)) for cell in own]
    sources: dict[str, set[str]] = {}
    for settings, strokes in keys:
        sources.setdefault(settings, set()).add(strokes)
    tables: dict[str, set[str]] = {}
    for cell, (settings, strokes) in zip(own, keys, strict=True):
        joined = {strokes} if strokes else sources[settings] - {""} or {""}
        names = sorted(f"{settings} {source}" for source in joined)
        tables.setdefault(conditions.claimable(cell.record), set()).update(names)
        yield from ((name, cell) for name in names)
    for cell in (cell for cell in cells if cell.record.external):
        claimed = conditions.claimable(cell.record)
        yield from ((name, cell) for name in sorted(tables.get(claimed, {claimed})))


def _told_apart(groups: Sequence[Group]) -> list[Group]:
    """Note in what groups differ that have the same names."""
    alike: dict[tuple[str, str, str, int], list[dict[str, Any]]] = {}
    for group in groups:
        alike.setdefault(_names(group), []).append(_shared(group))
    return [
        replace(
            group,
            differs=tuple(
                name
                for name, part in _shared(group).items()
                if any(part != other.get(name, part) for other in alike[_names(group)])
            ),
        )
        for group in groups
    ]


def _names(group: Group) -> tuple[str, str, str, int]:
    return (group.dataset, group.protocol, group.settings, group.schema)


def _shared(group: Group) -> dict[str, Any]:
    """Return what all cells of a group have in common."""
    records = [cell.record for cell in group.cells]
    return {
        "classes": list(group.sample.classes),
        **conditions.conditions(group.sample),
        "strokes": max(conditions.strokes(record) for record in records),
        "validation images": max(cell.ids for cell in group.cells),
    }


def _marked(cells: Sequence[Cell]) -> list[Cell]:
    """Mark the cells whose method or degradation has the name of another definition."""
    methods = [(c.record.method, conditions.method(c.record), c.record.started) for c in cells]
    kinds = [(c.record.kind, conditions.degradation(c.record), c.record.started) for c in cells]
    of_method, of_kind = conditions.marks(methods), conditions.marks(kinds)
    return [
        replace(cell, mark=of_method.get(method[:2], ""), kind_mark=of_kind.get(kind[:2], ""))
        for cell, method, kind in zip(cells, methods, kinds, strict=True)
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
        name=file_safe(name)[:_LONGEST],
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
