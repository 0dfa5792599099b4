"""Tables of what was measured besides mIoU: their CSV files, and how they look on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scribblebench.report.tables import Rows
from scribblebench.report.tables.affinity import affinity
from scribblebench.report.tables.table3 import table3
from scribblebench.report.tables.table5 import table5
from scribblebench.store.document import Reading
from scribblebench.store.measurement import Measurement, Value, read_measurements


@dataclass(frozen=True)
class Kind:
    """The table of one job of grids.

    Attributes:
        file: its CSV file.
        title: on the page.
        note: what to know when reading it.
        rows: from measurements to rows.
        shown: column of the CSV file -> its heading on the page.
    """

    file: str
    title: str
    note: str
    rows: Callable[[Sequence[Measurement]], Rows]
    shown: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A table with its rows."""

    kind: Kind
    rows: Rows

    def texts(self) -> list[list[str]]:
        """Return the cells of the columns that the page shows, as text."""
        return [[_text(row.get(column)) for column in self.kind.shown] for row in self.rows]


KINDS: Mapping[str, Kind] = {
    "variation": Kind(
        file="table3.csv",
        title="Table 3: variation under a transform",
        note="|T(f) - f'| / (|T(f)| + |f'|) of an image, each |.| the sum of absolute values over the whole "
        "representation, as the mean over the validation images.",
        rows=table3,
        shown={
            "method": "method",
            "dataset": "dataset",
            "protocol": "protocol",
            "settings": "settings",
            "seed": "seed",
            "transform": "transform",
            "location": "location",
            "variation": "variation",
            "variation_elementwise": "mean over entries",
            "paper_variation": "paper",
        },
    ),
    "affinity": Kind(
        file="affinity.csv",
        title="Affinity: what a walk's P knows of classes",
        note="AUC: the chance that a cell's step prefers a cell of its own class to one of another; 0.5 "
        "knows nothing. Lift: how many times as often as a uniform step it ends in its own class. Column "
        "share: of the row-centred variance of the energies, what is the same for every row. mIoU is that of "
        "the same trained network, on the images' centres, with (f + P f) / 2 in the walk's place; 'own' is "
        "its own P, 'none' no walk, 'as trained' its own walk. The oracle's P is made from the masks.",
        rows=affinity,
        shown={
            "method": "method",
            "dataset": "dataset",
            "protocol": "protocol",
            "settings": "settings",
            "seed": "seed",
            "p": "P",
            "sees_masks": "sees masks",
            "auc": "AUC",
            "lift": "lift",
            "column_share": "column share",
            "row_entropy": "row entropy",
            "alpha": "alpha",
            "miou": "mIoU",
            "gain": "gain",
        },
    ),
    "efficiency": Kind(
        file="table5.csv",
        title="Table 5: parameters, memory and speed",
        note="The paper's 23.61 is the authors' own baseline (ASPP) in units of 2^20, and its +0.31 the walk "
        "alone, 328,321 parameters; here every row counts the model as built. Memory is the growth of a "
        "fresh process's peak, weights included; operations are of one image's forward pass, a multiply-add "
        "counted as two.",
        rows=table5,
        shown={
            "title": "model",
            "parameters": "parameters",
            "walk_parameters": "of them walk",
            "parameters_mi": "/ 2^20",
            "paper_parameters_mi": "paper",
            "training_memory_mb": "training MB",
            "inference_memory_mb": "inference MB",
            "images_per_second": "images / s",
            "gflops": "GFLOP",
            "settings": "settings",
            "device": "device",
        },
    ),
}


def measured_tables(
    folders: Sequence[Path], dataset: str | None = None, protocol: str | None = None
) -> Reading[Table]:
    """Read the measurements of some folders of records; damaged files have no row and are listed apart."""
    reading: Reading[Table] = Reading([], [])
    for job, kind in KINDS.items():
        read = [read_measurements(folder, job) for folder in dict.fromkeys(folders)]
        reading.damaged.extend(file for part in read for file in part.damaged)
        found = [
            measurement
            for part in read
            for measurement in part.records
            if dataset in (None, measurement.dataset) and protocol in (None, measurement.protocol)
        ]
        if found:
            reading.records.append(Table(kind, kind.rows(found)))
    return reading


def _text(value: Value) -> str:
    """Write a value for people.

    >>> _text(24757721), _text(23.6108), _text(None), _text("+0.31")
    ('24,757,721', '23.611', '–', '+0.31')
    """
    if isinstance(value, float):
        return f"{value:.3f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value or "\u2013"
