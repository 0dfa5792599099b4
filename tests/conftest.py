"""Fixtures shared by all tests; real photographs are optional and never part of the project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from scribblebench.sources.toy import ensure_toy

pytest_plugins = ["cell_fixtures"]


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("SCRIBBLEBENCH_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SCRIBBLEBENCH_SHARED to test on it")
    return folder


@pytest.fixture(scope="session")
def voc_mini(shared: Path) -> Path:
    folder = shared / "voc-mini"
    if not folder.is_dir():
        pytest.skip(f"no VOC subset at {folder}")
    return folder


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole toy dataset; do not write into it."""
    return ensure_toy(tmp_path_factory.mktemp("toy") / "source")


@pytest.fixture(scope="session")
def mini(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 training and 8 validation images of the toy dataset: enough to train on for a moment."""
    folder = tmp_path_factory.mktemp("mini") / "source"
    shutil.copytree(toy, folder)
    for split, count in (("train", 24), ("val", 8)):
        path = folder / "ImageSets/SegmentationAug" / f"{split}.txt"
        ids = path.read_text(encoding="utf-8").split()[:count]
        path.write_text("\n".join(ids) + "\n", encoding="utf-8")
    return folder
