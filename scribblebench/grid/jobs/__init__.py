"""What is done with the cells of a grid, one job a file; a grid card names one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from scribblebench.core.registry import Part, Registry
from scribblebench.grid.asked import Asked
from scribblebench.grid.display import Display
from scribblebench.grid.forecast import Forecast
from scribblebench.grid.how import How, Outcome
from scribblebench.grid.standing import Standing


class Work(Protocol):
    """The cells of a grid under one job."""

    def cells(self) -> dict[str, Standing]:
        """List every cell's name, and how far it has come."""

    def warnings(self) -> Sequence[str]:
        """Return what is to be known of the data, a line each."""

    def forecast(self, how: How, probed: bool) -> Forecast | None:
        """Say what the missing cells will take, by a timed probe where asked for; None: unknown."""

    def run(self, how: How, display: Display) -> Outcome:
        """Do what is missing, several at once where that is possible."""


class GridJob(Part, frozen=True):
    """A job of grids.

    Attributes:
        takes: what it uses of ``Asked`` that not every job does; asking another job for it is an error.
    """

    takes: ClassVar[tuple[str, ...]] = (
        "data_dir",
        "rates",
        "variant",
        "strokes",
        "seeds",
        "variants",
        "weights",
        "keep_predictions",
        "executor",
        "per_device",
        "slurm",
        "collect",
        "probe",
    )

    def plan(self, asked: Asked) -> Work:
        """Find out what there is to do.

        Raises:
            UserError: something asked for does not exist or does not fit.
        """
        raise TypeError(f"{type(self).__name__} does not say what it does")


JOBS: Registry[GridJob] = Registry("job", __name__, GridJob)
