"""Grids whose job is to measure, from the command line to the table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from scribblebench.cli.main import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_efficiency_needs_no_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A fresh process sees at least the weights, and in training their gradients and Adam's two moments."""
    command = ["run", "--grid", "efficiency", "--device", "cpu", "--methods", "rw-ss", "--set", "crop=33"]
    main(command)
    assert "1 cells, 1 run now, 0 failed" in capsys.readouterr().out
    main(["report"])
    row = pd.read_csv("results/report/table5.csv").iloc[0]
    assert (row.model, row.walk_parameters) == ("rw-ss", 328_321)
    megabytes = row.parameters * 4 / 2**20
    assert row.inference_memory_mb > 0.9 * megabytes
    assert row.training_memory_mb > 3.6 * megabytes
    assert not (tmp_path / "data").exists()
    capsys.readouterr()
    main([*command, "--dry-run"])
    assert "1 cells, 0 missing" in capsys.readouterr().out


def test_a_measurement_that_fails_is_said_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "run --grid efficiency --methods baseline-aspp --set crop=33 --set batch=1 --device cpu"
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 1
    assert "Expected more than 1 value per channel" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.json"))
