from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.grid.asked import Asked
from scribblebench.grid.cells import expand
from scribblebench.sources.folder import open_dataset
from scribblebench.training.cell import Cell


def cells_of(mini: Path, grid: str, **narrowed: Any) -> list[Cell]:
    library = Library()
    card = library.grid(grid)
    asked = Asked(
        grid=card,
        methods=[library.method(name) for name in narrowed.get("methods", card.methods)],
        protocol=library.protocol("toy"),
        overrides={},
        dataset=library.dataset("toy"),
        rates=narrowed.get("rates"),
        seeds=narrowed.get("seeds", card.seeds),
        device=torch.device("cpu"),
        runs=mini.parent / "runs",
        variants=mini.parent / "variants",
    )
    return expand(asked, open_dataset(asked.dataset, mini))


@pytest.mark.parametrize(("grid", "count"), [("shrink", 15), ("drop", 18), ("ablation", 11)])
def test_the_grids_are_the_papers(mini: Path, grid: str, count: int) -> None:
    cells = cells_of(mini, grid)
    assert len(cells) == count == len({cell.id for cell in cells})


def test_drop_and_shrink_share_the_undegraded_cells(mini: Path) -> None:
    drop, shrink = ({cell.id for cell in cells_of(mini, grid)} for grid in ("drop", "shrink"))
    shared = [cell for cell in cells_of(mini, "drop") if cell.id in drop & shrink]
    assert [(cell.method.name, cell.kind, cell.rate) for cell in shared] == [
        ("baseline", "none", 0),
        ("rw", "none", 0),
        ("rw-ss", "none", 0),
    ]


def test_narrowing(mini: Path) -> None:
    cells = cells_of(mini, "shrink", methods=["rw"], rates=(0, 1), seeds=(3, 5))
    assert [(c.kind, c.rate, c.seed, c.variant.seed) for c in cells] == [
        ("none", 0, 3, 0),
        ("shrink", 1, 3, 3),
        ("none", 0, 5, 0),
        ("shrink", 1, 5, 5),
    ]


def test_a_rate_that_the_grid_does_not_have(mini: Path) -> None:
    with pytest.raises(UserError, match=r"no rate 0\.4\. Its rates: 0, 0\.2"):
        cells_of(mini, "shrink", rates=(0, 0.4))
