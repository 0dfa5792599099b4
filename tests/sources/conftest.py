"""A dataset small enough to break on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scribblebench.core.cards import DatasetCard
from scribblebench.core.library import Library

TRAIN = 12


@pytest.fixture(scope="session")
def card() -> DatasetCard:
    return Library().dataset("toy")


@pytest.fixture
def small(toy: Path, tmp_path: Path) -> Path:
    """The first 12 training and 2 validation images of the toy dataset; a copy to write into."""
    folder = tmp_path / "small"
    folder.mkdir()
    shutil.copy(toy / "toy.json", folder)
    for split, count in (("train", TRAIN), ("val", 2)):
        lines = (
            (toy / "ImageSets/SegmentationAug" / f"{split}.txt").read_text(encoding="utf-8").split()[:count]
        )
        target = folder / "ImageSets/SegmentationAug" / f"{split}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for name in lines:
            for part, suffix in (
                ("JPEGImages", ".png"),
                ("SegmentationClassAug", ".png"),
                ("scribble_annotation/pascal_2012", ".xml"),
            ):
                path = folder / part / f"{name}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(toy / part / path.name, path)
    return folder
