"""What is done with the cells of a grid, one job a file; a grid card names one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec
import torch

from scribblebench.core.cards import DatasetCard, GridCard, MethodCard, ProtocolCard
from scribblebench.core.registry import Registry
from scribblebench.grid.display import Display


@dataclass(frozen=True)
class Asked:
    """What the command line asks of a grid.

    Attributes:
        grid: its card.
        methods: the cards of the methods to run.
        protocol: with ``--set`` applied.
        overrides: what ``--set`` replaced.
        dataset: the dataset's card; whether its folder is opened is up to the job.
        data_dir: the dataset's folder, or None for its usual place.
        rates: only these rates, or None for the grid's own.
        seeds: of strokes and training together.
        weights: file of initial weights, or None.
        device: where networks run.
        runs: folder of records.
        variants: folder of degraded variants.
    """

    grid: GridCard
    methods: Sequence[MethodCard]
    protocol: ProtocolCard
    overrides: dict[str, Any]
    dataset: DatasetCard
    data_dir: Path | None
    rates: Sequence[float] | None
    seeds: Sequence[int]
    weights: Path | None
    device: torch.device
    runs: Path
    variants: Path


class Outcome(NamedTuple):
    """How many cells were run now, and how many of them failed."""

    run: int
    failed: int


class Work(Protocol):
    """The cells of a grid under one job."""

    def cells(self) -> dict[str, bool]:
        """List every cell's name, and whether it is done already."""

    def run(self, jobs: int, display: Display) -> Outcome:
        """Do what is missing, ``jobs`` at once where that is possible (0: as many as fit)."""


class GridJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job of grids.

    Attributes:
        takes: what it uses of ``Asked`` that not every job does; asking another job for it is an error.
    """

    takes: ClassVar[tuple[str, ...]] = ("data_dir", "rates", "seeds", "variants", "weights")

    def plan(self, asked: Asked) -> Work:
        """Find out what there is to do.

        Raises:
            UserError: something asked for does not exist or does not fit.
        """
        raise TypeError(f"{type(self).__name__} does not say what it does")


JOBS: Registry[GridJob] = Registry("job", __name__)
