"""Grids whose job is to measure, from the command line to the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

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


def test_variation_trains_what_it_needs_and_finds_it_again(
    mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data-dir", str(mini), "--set", "epochs=1", "--jobs", "1", "--device", "cpu"]
    main(["run", "--grid", "variation", *options])
    assert "1 cells, 1 run now, 0 failed" in capsys.readouterr().out
    records = sorted(path.name for path in (tmp_path / "results/runs").glob("*.json"))
    assert len(records) == 1
    main(["run", "--grid", "variation", *options])
    assert "1 cells, 0 run now" in capsys.readouterr().out
    main(["report", "--resamples", "200"])
    table = pd.read_csv("results/report/table3.csv")
    assert list(zip(table["transform"], table["location"], strict=True)) == [
        (transform, location)
        for transform in ("flip", "translation")
        for location in ("before", "after", "eigenspace")
    ]
    assert table["variation"].between(0, 1, inclusive="neither").all()
    assert list(table["paper_variation"]) == [0.253, 0.277, 0.111, 0.077, 0.152, 0.069]
    assert set(table["images"]) == {8}


def test_affinity_asks_the_masks(mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data-dir", str(mini), "--set", "epochs=1", "--jobs", "1", "--device", "cpu"]
    command = ["run", "--grid", "affinity", "--methods", "rw,baseline", *options]
    main(command)
    assert "2 cells, 2 run now, 0 failed" in capsys.readouterr().out
    main([*command, "--dry-run"])
    assert "2 cells, 0 missing" in capsys.readouterr().out
    main(["report", "--resamples", "200"])
    table = pd.read_csv("results/report/affinity.csv").set_index(["method", "p"])
    common = ["uniform", "posterior", "image", "oracle"]
    assert list(table.loc["rw"].index) == ["none", "as trained", "own", *common]
    assert list(table.loc["baseline"].index) == ["none", *common]
    assert set(table.index[table["sees_masks"] == "yes"]) == {("rw", "oracle"), ("baseline", "oracle")}
    rw = table.loc["rw"]
    assert rw.loc["uniform", ["auc", "lift", "row_entropy"]].tolist() == pytest.approx([0.5, 1, 1])
    assert rw.loc["oracle", "auc"] == 1
    assert rw.loc["oracle", "lift"] > 1
    assert rw["alpha"].notna().sum() == 1
    assert (rw["gain"] - (rw["miou"] - rw.loc["none", "miou"])).abs().max() < 1e-9
    with pytest.raises(SystemExit):
        main(["run", "--grid", "affinity", "--methods", "baseline-aspp", *options])
    assert "which 'head: aspp' does not have" in capsys.readouterr().err


def test_figures_come_from_the_weights_of_a_run(
    mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data-dir", str(mini), "--set", "epochs=1", "--device", "cpu"]
    with pytest.raises(SystemExit):
        main(["figures", *options])
    assert "Train it first: scribblebench run" in capsys.readouterr().err
    main(["run", "--grid", "shrink", "--methods", "rw-ss,baseline", "--rates", "0", "--jobs", "1", *options])
    main(["figures", "--images", "val_000,val_003", "--eigenvectors", "2", *options])
    for name in ("figure1", "figure3", "figure5"):
        folder = tmp_path / "results/report/figures"
        assert (folder / f"{name}.svg").stat().st_size > 1000
        with Image.open(folder / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 10
    capsys.readouterr()
    for arguments, message in (
        (["--method", "baseline"], "Method 'baseline' has no walk"),
        (["--images", "val_999"], "no such image in the split"),
    ):
        with pytest.raises(SystemExit):
            main(["figures", *options, *arguments])
        assert message in capsys.readouterr().err
