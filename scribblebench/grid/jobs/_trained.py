"""Measurements of trained cells: what is not trained yet is trained first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from scribblebench.grid.asked import Asked
from scribblebench.grid.display import Display
from scribblebench.grid.forecast import Forecast
from scribblebench.grid.how import How, Outcome
from scribblebench.grid.jobs.train import Trainings, trainings
from scribblebench.grid.measure import Measurements, Task, blank_measurement
from scribblebench.grid.standing import Standing
from scribblebench.store.measurement import Value
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places


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

    def forecast(self, how: How, probed: bool) -> Forecast | None:
        """That of the trainings: measuring takes little."""
        return self.trained.forecast(how, probed)

    def run(self, how: How, display: Display) -> Outcome:
        """Train what is missing as any grid does, then measure."""
        measured = set(self.cells().values()) == {"done"}
        if how.rerun == "all" or not measured or self.trained.places.keep_predictions:
            display.expect(len(self.trained.to_train))
            self.trained.run(how, display)
        return self.measured.run(how, display)


def measurements_of_cells(
    asked: Asked,
    identity: Callable[[Cell], dict[str, Any]],
    measure: Callable[[Cell, Places], Iterable[dict[str, Value]]],
) -> TrainedMeasurements:
    """List a measurement for each cell of a grid.

    Args:
        asked: the grid.
        identity: what decides the numbers of a cell's measurement.
        measure: from a trained cell to rows of a table.
    """
    trained = trainings(asked)
    tasks = [
        Task(
            blank_measurement(asked, cell.method, identity(cell)),
            partial(measure, cell, trained.places),
        )
        for cell in trained.to_train
    ]
    return TrainedMeasurements(trained, Measurements(tasks, asked.runs))
