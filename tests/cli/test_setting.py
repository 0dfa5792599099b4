"""What a grid's card and the command line make of a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scribblebench.cli._setting import Setting
from scribblebench.core.library import Library
from scribblebench.training.evaluation_parts import crf_name
from scribblebench.training.fits import check_method


def setting(**overrides: Any) -> Setting:
    return Setting(None, None, None, overrides, None, "cpu", Path("runs"), ())


def test_the_command_line_comes_after_the_grid() -> None:
    grid = msgspec.structs.replace(Library().grid("shrink"), overrides={"epochs": 2, "batch": 4})
    asked = setting(epochs=3).ask(grid, ["baseline"], [0], Path("data"))
    assert asked.overrides == {"epochs": 3, "batch": 4}
    assert (asked.protocol.epochs, asked.protocol.batch) == (3, 4)


@pytest.mark.parametrize("name", ["comparison", "robustness"])
def test_the_comparing_grids_ask_for_the_crf_and_can_do_without(name: str) -> None:
    grid = Library().grid(name)
    assert crf_name(setting().ask(grid, grid.methods, [0], Path("data")).protocol) == "deeplab"
    asked = setting(**{"evaluation.crf": None}).ask(grid, grid.methods, [0], Path("data"))
    assert crf_name(asked.protocol) == ""
    for method in asked.methods:
        check_method(method, asked.protocol)
