"""Whether the P of trained walks goes to cells of the same class, asked of the validation masks."""

from __future__ import annotations

from typing import Any

from scribblebench.grid.asked import Asked
from scribblebench.grid.jobs import JOBS, GridJob
from scribblebench.grid.jobs._trained import TrainedMeasurements, measurements_of_cells
from scribblebench.training.affinity import RULE, affinities
from scribblebench.training.cell import Cell
from scribblebench.training.evaluation_parts import make_inference


@JOBS.register
class AffinityOfWalks(GridJob, frozen=True):
    """Trains what is not trained yet, then measures on the validation images and their masks."""

    def plan(self, asked: Asked) -> TrainedMeasurements:
        """List a measurement for each cell (see ``GridJob``)."""
        return measurements_of_cells(asked, _identity, affinities)


def _identity(cell: Cell) -> dict[str, Any]:
    return {
        "training": cell.training_identity,
        "val": cell.identity["val"],
        "rule": RULE,
        "zoom": make_inference(cell.protocol).zoom,
    }
