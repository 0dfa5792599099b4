"""Train and evaluate every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scribblebench.grid.asked import Asked
from scribblebench.grid.cells import expand
from scribblebench.grid.display import Display
from scribblebench.grid.execute import execute, outcome
from scribblebench.grid.forecast import Forecast, forecast
from scribblebench.grid.how import How, Outcome
from scribblebench.grid.jobs import JOBS, GridJob
from scribblebench.grid.prepare import prepare_first_labels, prepare_variants
from scribblebench.grid.standing import Standing, standing
from scribblebench.grid.variants import forced_reader, of_folders, of_grid, open_given
from scribblebench.loading.batches import require_batch
from scribblebench.sources.folder import open_dataset
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places


@JOBS.register
class Train(GridJob, frozen=True):
    """Methods x variants x seeds, a record each."""

    def plan(self, asked: Asked) -> Trainings:
        """Open the dataset and list the cells (see ``GridJob``)."""
        return trainings(asked)


@dataclass(frozen=True)
class Trainings:
    """Cells to be trained (see ``Work``)."""

    to_train: Sequence[Cell]
    places: Places
    grid: str = "cells"

    def cells(self) -> dict[str, Standing]:
        """List every cell's slug, and how far it has come."""
        return {cell.slug: standing(cell, self.places) for cell in self.to_train}

    def warnings(self) -> Sequence[str]:
        """What was said of the splits, the same for every cell, and of methods."""
        return tuple(dict.fromkeys(warning for cell in self.to_train for warning in cell.warnings))

    def forecast(self, how: How, probed: bool) -> Forecast:
        """Estimate time, memory and room (see ``Work``)."""
        standings = self.cells()
        missing = sum(standing not in ("done", "running") for standing in standings.values())
        at_once = how.executor.at_once(missing, self.places.device)
        return forecast(self.to_train, standings, self.places, at_once, probed)

    def run(self, how: How, display: Display) -> Outcome:
        """Train what is missing."""
        missing = [cell for cell in self.to_train if standing(cell, self.places) != "done"]
        for cell in missing[:1]:
            require_batch(len(self.places.dataset.ids("train")), cell.protocol.batch)
        prepare_variants(missing, self.places, display)
        prepare_first_labels(missing, self.places, display)
        return outcome(len(self.to_train), execute(self.to_train, self.places, how, display, self.grid))


def trainings(asked: Asked) -> Trainings:
    """Open the dataset and list the cells.

    Raises:
        UserError: no such dataset folder, or the grid has none of the rates asked for.
    """
    given = open_given(asked.variant, asked.dataset.name, asked.rates is not None, asked.strokes)
    reader = given[0].head.source.strokes if given else asked.strokes
    opened = open_dataset(asked.dataset, asked.data_dir, reader)
    places = Places(
        opened,
        asked.variants,
        asked.runs,
        asked.device,
        asked.weights,
        asked.keep_predictions,
        made={variant.head.spec.id: variant.root for variant in given},
    )
    if given:
        chosen = of_folders(given, asked.seeds)
    else:
        forced = forced_reader(opened, open_dataset(asked.dataset, asked.data_dir)) if reader else ""
        chosen = of_grid(asked.grid, asked.rates, asked.seeds, forced)
    return Trainings(expand(asked, opened, variants=chosen), places, asked.grid.name)
