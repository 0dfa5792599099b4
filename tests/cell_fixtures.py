"""Fixtures: cells small enough to train in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from scribblebench.core.library import Library
from scribblebench.grid.asked import Asked
from scribblebench.grid.cells import expand
from scribblebench.sources.folder import open_dataset
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places

MakeCell = Callable[..., Cell]


@pytest.fixture
def places(mini: Path, tmp_path: Path) -> Places:
    dataset = open_dataset(Library().dataset("toy"), mini)
    return Places(dataset, tmp_path / "data", tmp_path / "runs", torch.device("cpu"))


@pytest.fixture
def make_cell(places: Places) -> MakeCell:
    def make(method: str, kind: str = "shrink", rate: float = 0.5, seed: int = 0, **settings: Any) -> Cell:
        library = Library()
        overrides = {"epochs": 4, **settings}
        asked = Asked(
            grid=library.grid(kind),
            methods=[library.method(method)],
            protocol=library.protocol("toy", overrides),
            overrides=overrides,
            dataset=places.dataset.card,
            rates=(rate,),
            seeds=(seed,),
            device=places.device,
            runs=places.runs,
            variants=places.variants,
        )
        return expand(asked, places.dataset)[0]

    return make
