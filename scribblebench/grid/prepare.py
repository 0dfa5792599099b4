"""Degraded strokes for the cells of a grid, made before any of them is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from scribblebench.grid.display import Display, Event
from scribblebench.sources.workers import default_workers
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, told
from scribblebench.training.stages import prepare_labels

# Up to here one process is faster: it has read the strokes already, and none has to be started.
_ALONE = 2000


def prepare_variants(cells: Iterable[Cell], places: Places, display: Display) -> None:
    """Make every variant that a cell is trained on and that is not there yet.

    Raises:
        UserError: a variant's folder holds something else, or cannot be written.
    """
    one_each = {cell.variant.id: cell for cell in cells if "strokes" in cell.supervision.reads}
    workers = default_workers() if len(places.dataset.ids("train")) > _ALONE else 1
    for name, cell in one_each.items():
        display.line(f"strokes: {name}")
        told(cell, places, workers)


def prepare_first_labels(cells: Iterable[Cell], places: Places, display: Display) -> None:
    """Propagate the strokes for every method that begins with that, on all processors.

    What goes wrong here goes wrong again in the cell, whose record tells of it: other cells are not lost.
    """
    for cell in cells:
        with contextlib.suppress(Exception):
            prepare_labels(cell, places, default_workers(), _told(cell, display))


def _told(cell: Cell, display: Display) -> Callable[[int, int], None]:
    return lambda done, total: display.event(Event(cell.slug, "labels", done, total))
