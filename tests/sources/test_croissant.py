"""A variant's Croissant metadata, read by MLCommons' own reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scribblebench as sb
from scribblebench.pictures.palette import voc_palette


@pytest.mark.filterwarnings("ignore")  # mlcroissant's dependencies warn of their own age
def test_mlcroissant_takes_it_and_finds_every_label_map(mini: Path, tmp_path: Path) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="install '.[croissant]' to check the metadata")
    variant = sb.make_variant(tmp_path / "made", {"shrink": 0.5}, data_dir=mini)
    dataset = croissant.Dataset(str(variant.root / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    found = dataset.records("images")
    records = {record["images/image"].decode(): record["images/label"] for record in found}
    assert sorted(records) == variant.ids
    # The reader hands out a palette PNG as its colours.
    image = variant.ids[3]
    assert np.array_equal(np.asarray(records[image]), voc_palette()[variant.label(image)])
