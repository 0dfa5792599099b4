"""How a grid is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from scribblebench.grid.executors import Executor
from scribblebench.grid.executors.local import Local

Rerun = Literal["no", "failed", "all"]


@dataclass(frozen=True)
class How:
    """What a person says of the way in which cells are run.

    Attributes:
        executor: where they run, and how many at once.
        wait: for cells that another process is at, instead of leaving them to it.
        rerun: forget the weights of cells that failed, or everything of all cells, first.
    """

    executor: Executor = field(default_factory=Local)
    wait: bool = False
    rerun: Rerun = "no"


class Outcome(NamedTuple):
    """What became of the cells of a grid.

    Attributes:
        before: done before, or by another process meanwhile.
        run: run now.
        failed: of these, how many did not come to their end.
        left: another process is at them.
    """

    before: int
    run: int
    failed: int
    left: int = 0
