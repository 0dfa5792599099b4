from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from scribblebench.core.cards import GridVariants
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.grid.asked import Asked
from scribblebench.grid.cells import expand
from scribblebench.grid.variants import Chosen, of_grid
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.spec import VariantSpec
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


def test_other_rates_than_the_cards(mini: Path) -> None:
    cells = cells_of(mini, "shrink", methods=["rw"], rates=(0.4, 0))
    assert [(c.kind, c.rate) for c in cells] == [("none", 0), ("shrink", 0.4)]
    assert cells[0].id == cells_of(mini, "drop", methods=["rw"], rates=(0,))[0].id
    with pytest.raises(UserError, match="Grid 'ablation' degrades nothing"):
        cells_of(mini, "ablation", rates=(0.4,))


def test_options_of_a_degradation_are_another_kind(mini: Path) -> None:
    """Those at their defaults are none: ids and names of results that were there before stay."""
    card = Library().grid("shrink")
    entries = [
        GridVariants("shrink", (0.0, 0.5)),
        GridVariants("shrink", (0.5,), {"keep": "random"}),
        GridVariants("shrink", (0.0, 0.5), {"keep": "centre"}),
    ]
    plain, centre = (
        of_grid(msgspec.structs.replace(card, variants=tuple(some)), None, (3,))
        for some in (entries[:2], entries)
    )
    assert [(c.kind, c.rate, c.spec.id) for c in plain] == [
        ("none", 0, "none"),
        ("shrink", 0.5, "shrink-0.5-seed3"),
    ]
    assert [c for c in centre if c not in plain] == [
        Chosen(VariantSpec.of("shrink", 0.5, 3, keep="centre"), "shrink-keep=centre", 0.5, 3)
    ]
    with pytest.raises(UserError, match="'end'"):
        of_grid(
            msgspec.structs.replace(card, variants=(GridVariants("shrink", (0.5,), {"keep": "end"}),)),
            None,
            (0,),
        )
