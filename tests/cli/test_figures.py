"""Which figures the command draws, and what it says of those it leaves out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scribblebench.cli.figures import draw_hard
from scribblebench.cli.main import main
from scribblebench.training.hard_probe import HardProbe


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_hard_eigenspace_is_drawn_of_a_symmetric_walk(mini: Path, tmp_path: Path) -> None:
    options = ["--data-dir", str(mini), "--set", "epochs=1", "--device", "cpu"]
    method = "rw-inner-product"
    main(["run", "--grid", "shrink", "--methods", method, "--rates", "0", "--jobs", "1", *options])
    main(["figures", "--method", method, "--count", "1", *options])
    names = {path.name for path in (tmp_path / "results/report/figures").iterdir()}
    assert {"figure1.png", "hard_eigenspace.png", "hard_eigenspace.svg"} <= names


def test_images_without_a_hard_eigenspace_are_named(
    make_cell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    maps, line = np.full((3, 3), 0.5, dtype=np.float32), np.linspace(1, 0, 9, dtype=np.float32)
    seen = HardProbe(np.zeros((9, 9, 3), dtype=np.uint8), 2, maps, maps, maps, line, line, line)
    unclear = replace(seen, sines=np.where(line == line[1], np.nan, line))
    cell = make_cell("rw-inner-product", rate=0)
    assert set(draw_hard(cell, {"a": seen, "b": unclear})) == {"hard_eigenspace"}
    assert "leaves out b: the leading eigenvectors" in capsys.readouterr().err
    assert draw_hard(cell, {"b": unclear, "c": None}) == {}
    assert "leaves out b:" in capsys.readouterr().err
    assert draw_hard(cell, {"c": None}) == {}
    assert capsys.readouterr().err == ""
