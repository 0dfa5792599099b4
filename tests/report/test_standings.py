from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scribblebench.report.collect import NONE, Variant, gather
from scribblebench.report.estimates import Estimates
from scribblebench.report.leaders import leaders
from scribblebench.report.standings import compared, robustness, standings
from scribblebench.report.tables.differences import differences

# How good the fake methods are, by the rate they were made with.
SKILL = {"baseline": 0.5, "rw": 0.0, "rw-ss": 0.0, "mine": 1.0}


@pytest.fixture
def four(make: Any, tmp_path: Path) -> Estimates:
    """Two good methods, the baseline and a bad one; three seeds each."""
    for method, rate in SKILL.items():
        for seed in range(3):
            make(method, ("shrink", rate), seed, kind="none", rate=0.0)
    return Estimates(gather([tmp_path / "runs"]).records[0], 300)


def test_the_best_is_marked_and_what_is_not_told_apart_from_it(four: Estimates) -> None:
    rows = {row.method: row for row in standings(four, NONE, list(SKILL))}
    best = max(rows, key=lambda m: rows[m].value.value)  # type: ignore[union-attr]
    assert {m for m, row in rows.items() if row.best} == {best}
    assert {m for m, row in rows.items() if row.best or row.tied} == {"rw", "rw-ss"}
    assert rows["baseline"].gain is None
    gain = rows["mine"].gain
    assert gain is not None
    assert gain.high < 0
    assert gain.value == pytest.approx(four.miou("mine", NONE).value - four.miou("baseline", NONE).value)  # type: ignore[union-attr]
    (table,) = leaders(four)
    (answer,) = table.answers
    other = four.group.methods[({"rw", "rw-ss"} - {best}).pop()]
    assert (answer.where, answer.title) == ("undegraded", four.group.methods[best])
    assert answer.apart == f"not told apart from {other}"


def test_every_pair_is_tested_once_and_corrected_for_all(four: Estimates) -> None:
    rows = differences([four])
    assert len(rows) == 6
    for row in rows:
        assert row["p_holm"] >= row["p"]
        assert (row["p"] < 0.05) == (row["difference_low"] > 0 or row["difference_high"] < 0)
    assert min(row["p_holm"] for row in rows) == pytest.approx(6 * min(row["p"] for row in rows))


def test_the_area_is_that_of_the_trapezoids_and_asks_for_every_rate(grid: Path) -> None:
    e = Estimates(gather([grid]).records[0], 100)
    rows = {row.method: row for row in robustness(e, "shrink", list(e.group.methods))}
    assert rows["rw-ss"].value is None  # one rate was never run
    assert (rows["baseline"].seeds, rows["rw"].seeds) == (2, 1)  # one seed of rw failed at a rate
    curve = e.group.columns("shrink")
    heights = [e.miou("baseline", v).value for v in curve]  # type: ignore[union-attr]
    widths = np.diff([v.rate for v in curve])
    expected = sum(w * (a + b) / 2 for w, a, b in zip(widths, heights, heights[1:], strict=False))
    assert rows["baseline"].value is not None
    assert rows["baseline"].value.value == pytest.approx(expected)
    assert rows["rw"].gain is not None
    assert rows["rw"].p is None  # one shared seed is not tested


def test_methods_without_degraded_cells_have_a_table_of_their_own(grid: Path, make: Any) -> None:
    e = Estimates(gather([grid]).records[0], 100)
    assert list(compared(e)) == ["shrink"]
    make("mine")
    e = Estimates(gather([grid]).records[0], 100)
    assert list(compared(e)) == ["none", "shrink"]
    failed = {row.method: row for row in standings(e, Variant("shrink", 0.7), list(e.group.methods))}
    assert failed["rw-ss"].value is None
