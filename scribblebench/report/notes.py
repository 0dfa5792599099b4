"""What a reader must know of the records of a group before he reads its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scribblebench.report.collect import Group
from scribblebench.store.record import SCHEMA


def notes(group: Group) -> list[str]:
    """Say what a reader must know of a group, a line each; mostly nothing."""
    found = (_schema, _external, _twins, _definitions, _contradictions, _devices, _warnings)
    return [note for find in found for note in find(group)]


def counted(number: int, what: str = "cell") -> str:
    """Count things.

    >>> counted(1), counted(3)
    ('1 cell', '3 cells')
    """
    return f"{number} {what}{'s' * (number != 1)}"


def _schema(group: Group) -> Iterator[str]:
    if group.schema < SCHEMA:
        yield (
            f"Records of the earlier schema {group.schema}: their identity held neither all of the data "
            "nor the rules of the parts, so they stand in tables of their own."
        )


def _external(group: Group) -> Iterator[str]:
    if group.external:
        yield (
            f"Predictions of other programs, scored here: {', '.join(group.external)}. Protocol, scribbles "
            "and seed are what their user says; nothing is known of their training."
        )


def _twins(group: Group) -> Iterator[str]:
    if group.differs:
        yield (
            f"Other tables have the same names and settings, but another {', '.join(group.differs)}: "
            "numbers of the two may not be compared."
        )


def _definitions(group: Group) -> Iterator[str]:
    """Say whose name stands for several things: a card or a part was edited between two runs."""
    for names, what in (
        ({cell.record.method for cell in group.cells if cell.mark}, "methods"),
        ({cell.record.kind for cell in group.cells if cell.kind_mark}, "degradations"),
    ):
        for name in sorted(names):
            yield (
                f"{name}: different {what} bore this name when these cells were run. Each stands apart: the "
                "last under the bare name, earlier ones marked by the start of their digest."
            )


def _contradictions(group: Group) -> Iterator[str]:
    """Say where one cell has two results: its identity holds all that should decide the number."""
    later = {cell.record.cell: cell.record for cell in group.cells}
    for cell in group.superseded:
        record = later.get(cell.record.cell)
        if record and cell.done and record.miou != cell.record.miou:
            yield (
                f"{record.slug}: two records of this one cell, with the mIoUs {cell.record.miou:.2%} and "
                f"{record.miou or 0:.2%}. The later one stands in the tables; one of the two may be wrong."
            )


def _devices(group: Group) -> Iterator[str]:
    devices = Counter(cell.record.device for cell in group.cells if cell.done and cell.record.device)
    if len(devices) > 1:
        listed = "; ".join(f"{device} ({counted(count)})" for device, count in devices.most_common())
        yield (
            f"Cells of this table ran on different devices or numbers of threads: {listed}. Sums are rounded "
            "otherwise there, and the same cell would get a slightly other number; cells.csv says which ran "
            "where."
        )


def _warnings(group: Group) -> Iterator[str]:
    told = Counter(warning for cell in group.cells for warning in cell.record.warnings)
    for warning, count in told.items():
        yield f"Warning: {warning} ({counted(count)})."
