"""Everything that make-dataset makes can be trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.grid.asked import Asked
from scribblebench.grid.jobs.train import trainings
from scribblebench.scribbles.pen import Pen
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.spec import Step, VariantSpec
from scribblebench.sources.variant import make_variant, open_variant
from scribblebench.training.data import told


@pytest.fixture
def asked(mini: Path, tmp_path: Path) -> Asked:
    library = Library()
    return Asked(
        grid=library.grid("shrink"),
        methods=[library.method("baseline")],
        protocol=library.protocol("toy"),
        overrides={},
        dataset=library.dataset("toy"),
        data_dir=mini,
        seeds=(0, 1),
        device=torch.device("cpu"),
        runs=tmp_path / "runs",
        variants=tmp_path / "data",
    )


def made(asked: Asked, out: Path, spec: VariantSpec, reader: str | None = None) -> Path:
    make_variant(open_dataset(asked.dataset, asked.data_dir, reader), "train", spec, out)
    return out


def test_two_degradations_and_a_pen_of_a_folder(asked: Asked, tmp_path: Path) -> None:
    both = VariantSpec((Step("drop", 0.3), Step("shrink", 0.5, {"keep": "centre"})), seed=7)
    thick = VariantSpec(pen=Pen(width=5), labels="grey")
    folders = (made(asked, tmp_path / "both", both), made(asked, tmp_path / "thick", thick))
    work = trainings(replace(asked, variant=folders))
    assert [(cell.kind, cell.rate, cell.seed, cell.variant.seed) for cell in work.to_train] == [
        ("drop-0.3+shrink-keep=centre", 0.5, 0, 7),
        ("none-width=5", 0.0, 0, 0),
        ("drop-0.3+shrink-keep=centre", 0.5, 1, 7),
        ("none-width=5", 0.0, 1, 0),
    ]
    assert "_drop-0.3+shrink-keep-centre-0.5_seed0_" in work.to_train[0].slug
    for cell, folder in zip(work.to_train, folders, strict=False):
        image = work.places.dataset.ids("train")[0]
        expected = open_variant(folder).label(image)
        assert np.array_equal(told(cell, work.places)(image).labels, expected)  # nothing is made again
    assert not asked.variants.exists() or not any(asked.variants.glob("toy/*seed*"))


def test_a_grids_own_variant_is_the_same_cell_from_a_folder(asked: Asked, tmp_path: Path) -> None:
    folder = made(asked, tmp_path / "own", VariantSpec.of("shrink", 0.5))
    (given,) = trainings(replace(asked, variant=(folder,), seeds=(0,))).to_train
    (own,) = trainings(replace(asked, rates=(0.5,), seeds=(0,))).to_train
    assert (given.id, given.slug) == (own.id, own.slug)


def test_strokes_of_another_reader(asked: Asked, tmp_path: Path) -> None:
    """Strokes traced from masks are other strokes; naming the reader that is used anyway changes nothing."""
    (masks,), (xml,), (none,) = (
        trainings(replace(asked, strokes=reader, rates=(0,), seeds=(0,))).to_train
        for reader in ("masks", "xml", None)
    )
    assert xml == none
    assert masks.id != xml.id
    assert (masks.kind, masks.variant.id) == ("none", "none-strokes=masks")
    folder = made(asked, tmp_path / "traced", VariantSpec(strokes="masks"), "masks")
    (given,) = trainings(replace(asked, variant=(folder,), seeds=(0,))).to_train
    assert given.id == masks.id


def test_folders_that_do_not_fit(asked: Asked, tmp_path: Path) -> None:
    traced = made(asked, tmp_path / "traced", VariantSpec(strokes="masks"), "masks")
    plain, again = (made(asked, tmp_path / name, VariantSpec.of("drop", 0.5)) for name in ("plain", "again"))
    for given, said in (
        ({"variant": (plain,), "rates": (0.5,)}, "--variant brings its own rates"),
        ({"variant": (plain, again)}, "two folders hold drop-0.5-seed0"),
        ({"variant": (plain, traced)}, "was made from masks strokes"),
        ({"variant": (plain,), "strokes": "masks"}, "was made from xml strokes"),
        ({"variant": (plain,), "dataset": Library().dataset("voc2012")}, "is a variant of toy train, not"),
        ({"variant": (tmp_path / "nowhere",)}, "nowhere"),
    ):
        with pytest.raises(UserError, match=said):
            trainings(replace(asked, **given))  # type: ignore[arg-type]  # fields of several types
