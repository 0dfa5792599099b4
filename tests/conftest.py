"""Fixtures shared by all tests; real photographs are optional and never part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
