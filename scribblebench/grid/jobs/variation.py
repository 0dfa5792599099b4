"""Table 3: how much f^{L-1}, f^L and P vary under transforms that nobody trained the network for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scribblebench.grid.asked import Asked
from scribblebench.grid.jobs import JOBS, GridJob
from scribblebench.grid.jobs._trained import TrainedMeasurements, measurements_of_cells
from scribblebench.store.measurement import Value
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.evaluation_parts import make_inference
from scribblebench.training.variation import RULE, SHARE, varied


@JOBS.register
class Variation(GridJob, frozen=True):
    """Trains what is not trained yet, then measures on the validation images."""

    def plan(self, asked: Asked) -> TrainedMeasurements:
        """List a measurement for each cell (see ``GridJob``)."""
        return measurements_of_cells(asked, _identity, _rows)


def _identity(cell: Cell) -> dict[str, Any]:
    return {
        "training": cell.training_identity,
        "val": cell.val.photographs,
        "rule": RULE,
        "share": SHARE,
        "zoom": make_inference(cell.protocol).zoom,
    }


def _rows(cell: Cell, places: Places) -> Iterator[dict[str, Value]]:
    """Average over the validation images: a row for each location under each transform."""
    for transform, (images, locations) in varied(cell, places).items():
        for location, values in locations.items():
            where: dict[str, Value] = {"seed": cell.seed, "transform": transform, "location": location}
            yield {**where, **values, "images": images}
