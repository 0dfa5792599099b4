"""Table 3: how much f^{L-1}, f^L and P vary under transforms that nobody trained the network for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scribblebench.grid.asked import Asked
from scribblebench.grid.display import Display
from scribblebench.grid.how import How, Outcome
from scribblebench.grid.jobs import JOBS, GridJob
from scribblebench.grid.jobs.train import Trainings, trainings
from scribblebench.grid.measure import Measurements, Task, blank_measurement
from scribblebench.grid.standing import Standing
from scribblebench.store.measurement import Value
from scribblebench.training.cell import Cell
from scribblebench.training.evaluation_parts import make_inference
from scribblebench.training.variation import RULE, SHARE, varied


@JOBS.register
class Variation(GridJob, frozen=True):
    """Trains what is not trained yet, then measures on the validation images."""

    def plan(self, asked: Asked) -> TrainedMeasurements:
        """List a measurement for each cell (see ``GridJob``)."""
        trained = trainings(asked)
        tasks = [_task(asked, cell, trained) for cell in trained.to_train]
        return TrainedMeasurements(trained, Measurements(tasks, asked.runs))


@dataclass(frozen=True)
class TrainedMeasurements:
    """Measurements of trained cells (see ``Work``)."""

    trained: Trainings
    measured: Measurements

    def cells(self) -> dict[str, Standing]:
        """List every measurement's name, and whether it is there."""
        return self.measured.cells()

    def warnings(self) -> Sequence[str]:
        """Those of the trainings."""
        return self.trained.warnings()

    def run(self, how: How, display: Display) -> Outcome:
        """Train what is missing as any grid does, then measure."""
        if how.rerun == "all" or set(self.cells().values()) != {"done"}:
            display.expect(len(self.trained.to_train))
            self.trained.run(how, display)
        return self.measured.run(how, display)


def _task(asked: Asked, cell: Cell, trained: Trainings) -> Task:
    identity = {
        "training": cell.training_identity,
        "val": cell.val.photographs,
        "rule": RULE,
        "share": SHARE,
        "zoom": make_inference(cell.protocol).zoom,
    }
    blank = blank_measurement(asked, cell.method, identity)
    return Task(blank, lambda: _rows(cell, trained))


def _rows(cell: Cell, trained: Trainings) -> Iterator[dict[str, Value]]:
    """Average over the validation images: a row for each location under each transform."""
    for transform, (images, locations) in varied(cell, trained.places).items():
        for location, values in locations.items():
            where: dict[str, Value] = {"seed": cell.seed, "transform": transform, "location": location}
            yield {**where, **values, "images": images}
