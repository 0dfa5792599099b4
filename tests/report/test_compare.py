"""Two results beside each other: differences by hand, and what else differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scribblebench.cli.main import main
from scribblebench.report.collect import gather
from scribblebench.report.compare import compare_results
from scribblebench.store.confusion import read_confusion


def run(a: Path, b: Path, out: Path) -> None:
    main(["report", "--compare", str(a), str(b), "--out", str(out), "--resamples", "200"])


@pytest.fixture
def sides(make: Any, tmp_path: Path) -> tuple[Path, Path]:
    """The second has another version of torch and other losses; one cell is on one side alone."""
    a, b = tmp_path / "a", tmp_path / "b"
    for seed in (0, 1):
        make("rw", seed=seed, folder=a)
        make("rw", seed=seed, folder=b, kind="none", rate=0.0, versions={"torch": "2.12.0"}, protocol="toy")
        make("rw-ss", seed=seed, folder=b if seed else a)
    return a, b


def test_differences_are_paired_and_what_differs_is_said(
    sides: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*sides, tmp_path / "out")
    printed = capsys.readouterr().out
    assert "torch" in printed
    table = pd.read_csv(tmp_path / "out" / "differences.csv")
    assert table["method"].tolist() == ["rw"]
    assert table.loc[0, ["seeds", "images"]].tolist() == [2, 40]
    assert table.loc[0, "difference"] == pytest.approx(table.loc[0, "b"] - table.loc[0, "a"])
    differs = pd.read_csv(tmp_path / "out" / "differs.csv").set_index("what")
    assert differs.loc["version: torch", ["a", "b"]].tolist() == ["2.11.0", "2.11.0, 2.12.0"]
    alone = pd.read_csv(tmp_path / "out" / "unmatched.csv")
    assert alone[["only in", "method"]].to_numpy().tolist() == [["A", "rw-ss"], ["B", "rw-ss"]]
    assert "torch" in (tmp_path / "out" / "compare.md").read_text(encoding="utf-8")


def test_a_result_does_not_differ_from_itself(grid: Path) -> None:
    groups = gather([grid]).records
    found = compare_results(groups, groups, 100)
    assert {row["difference"] for row in found.differences} == {0.0}
    assert {row["p"] for row in found.differences} <= {1.0, None}
    assert not found.differs
    assert not found.unmatched


def test_other_images_are_left_out_and_another_protocol_is_matched(make: Any, tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    make("rw", folder=a, images=40)
    longer = make("rw", folder=b, images=30, protocol="toy-long")
    groups = [gather([folder]).records for folder in (a, b)]
    (row,) = compare_results(*groups, 100).differences
    assert row["images"] == 30
    assert row["b"] == pytest.approx(longer.miou)
    record = next(cell.record for cell in groups[0][0].cells)
    kept = read_confusion(a, record).matrices[:30].sum(axis=0)
    union = kept.sum(0) + kept.sum(1) - kept.diagonal()
    assert row["a"] == pytest.approx((kept.diagonal() / union).mean())
    what = {row["what"]: (row["a"], row["b"]) for row in compare_results(*groups, 100).differs}
    assert what["protocol"] == ("toy", "toy-long")
    assert what["validation images"][0].startswith("40, from toy_0000")


def test_nothing_in_common_is_an_error(make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make("rw", folder=tmp_path / "a")
    make("rw", folder=tmp_path / "b", dataset="other")
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path / "a", tmp_path / "b", tmp_path / "out")
    assert stopped.value.code == 2
    assert "share no finished cell" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
