"""What a person asks of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from scribblebench.core.cards import DatasetCard, GridCard, MethodCard, ProtocolCard


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A grid, what it is run on and where.

    Attributes:
        grid: its card.
        methods: the cards of the methods to run.
        protocol: with ``--set`` applied.
        overrides: what ``--set`` replaced.
        dataset: the dataset's card; whether its folder is opened is up to the job.
        data_dir: the dataset's folder, or None for its usual place.
        rates: of every degradation, or None for the grid's own.
        variant: folders of ``make-dataset`` in place of the grid's variants.
        strokes: the reader of strokes, or None for the dataset's first.
        seeds: of strokes and training together.
        weights: file of initial weights, or None.
        device: where networks run.
        runs: folder of records.
        variants: folder of degraded variants.
        keep_predictions: of the validation images, below ``runs``.
    """

    grid: GridCard
    methods: Sequence[MethodCard]
    protocol: ProtocolCard
    overrides: dict[str, Any]
    dataset: DatasetCard
    data_dir: Path | None = None
    rates: Sequence[float] | None = None
    variant: Sequence[Path] = ()
    strokes: str | None = None
    seeds: Sequence[int]
    weights: Path | None = None
    device: torch.device
    runs: Path
    variants: Path
    keep_predictions: bool = False
