"""Where the cells of a grid run, one way a file. The folder of records is the single truth of them all."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from scribblebench.core.registry import Part, Registry
from scribblebench.grid.attempt import Ended, Job
from scribblebench.grid.display import Display
from scribblebench.store.plan import Plan


class Executor(Part, frozen=True):
    """A way to run cells; its fields are options of the command line."""

    def at_once(self, cells: int, device: torch.device) -> int:
        """Return how many of so many cells run at once."""
        raise TypeError(f"{type(self).__name__} does not say how many cells run at once")

    def run(self, jobs: Sequence[Job], plan: Plan, display: Display) -> list[Ended]:
        """Run cells, and return what became of each.

        Args:
            jobs: the cells that have no finished record, those first for which others wait.
            plan: of the whole grid, as it was written.
            display: is told of everything.

        Raises:
            NoSpaceError: the disk is full; no further cell was begun.
            KeyboardInterrupt: a signal stopped the run.
        """
        raise TypeError(f"{type(self).__name__} does not say how it runs cells")


EXECUTORS: Registry[Executor] = Registry("executor", __name__, Executor)
