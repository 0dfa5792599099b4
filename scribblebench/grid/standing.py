"""How far a cell has come, as its files tell."""

from __future__ import annotations

from typing import Literal

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.store.confusion import matrices_are_whole, read_confusion
from scribblebench.store.lock import try_lock
from scribblebench.store.record import (
    Record,
    confusion_path,
    find_record,
    lock_path,
    read_record,
    record_path,
    write_record,
)
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.predictions import forget_predictions
from scribblebench.training.run_cell import blank_record
from scribblebench.training.train import Checkpoints

Standing = Literal["done", "failed", "interrupted", "running", "damaged", "missing"]
# What a record says of the names under which a cell was asked for; two names may mean the same cell.
_NAMES = (
    "slug",
    "method",
    "method_title",
    "dataset",
    "protocol",
    "kind",
    "rate",
    "overrides",
    "classes",
    "crf",
)


def standing(cell: Cell, places: Places) -> Standing:
    """Tell how far a cell has come; one whose record or matrices were damaged is to be run again."""
    path = record_path(places.runs, cell.slug)
    if not path.exists():
        return "missing"
    try:
        record = read_record(path)
    except UserError:
        return "damaged"
    if record.status == "done" and not matrices_are_whole(places.runs, record):
        return "damaged"
    return record.status


def adopt(cell: Cell, places: Places) -> Record | None:
    """Return the finished record of a cell; one that another name has of the same cell is copied.

    Returns:
        None where nobody has finished the cell.
    """
    record = find_record(places.runs, cell.id)
    if record is None or record.status != "done" or not matrices_are_whole(places.runs, record):
        return None
    if record.slug == cell.slug:
        return record
    read_confusion(places.runs, record).save(confusion_path(places.runs, cell.slug))
    blank = blank_record(cell, places)
    copied = msgspec.structs.replace(record, **{name: getattr(blank, name) for name in _NAMES})
    write_record(places.runs, copied)
    return copied


def forget(cell: Cell, places: Places, epochs: set[int]) -> None:
    """Remove a cell's record, predictions and weights, unless another process is at it.

    Args:
        cell: whose.
        places: where they are.
        epochs: at which its grid keeps states.
    """
    kept = Checkpoints(places.runs / "checkpoints", cell)
    record = record_path(places.runs, cell.slug)
    with try_lock(lock_path(places.runs, cell.slug)) as held:
        if not held:
            return
        for path in (
            record,
            confusion_path(places.runs, cell.slug),
            record.with_suffix(".log"),
            kept.final,
            kept.partial,
            *(kept.prefix(end) for end in epochs | cell.boundaries()),
        ):
            path.unlink(missing_ok=True)
        forget_predictions(places.runs, cell.slug)
