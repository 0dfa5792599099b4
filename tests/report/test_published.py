from __future__ import annotations

import re
from pathlib import Path

import pytest

from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.report import published

# The reference's own arithmetic: absolute mIoU from Tables 1 and 4, rounded to 0.1.
DERIVED = {
    "baseline": [64.4, 63.9, 61.7, 61.5, 60.4, 58.2, 64.4, 61.2, 58.9, 50.2],
    "rw": [67.6, 66.7, 65.0, 64.9, 64.0, 61.9, 66.0, 64.6, 62.1, 52.9],
    "rw-ss": [71.2, 70.7, 69.7, 68.7, 67.6, 67.0, 70.7, 67.8, 66.7, 58.2],
}
VARIANTS = [("none", 0.0)] + [("drop", r / 10) for r in range(1, 6)]
VARIANTS += [("shrink", r) for r in (0.2, 0.5, 0.7, 1.0)]


@pytest.mark.parametrize("method", DERIVED)
def test_absolute_numbers_follow_from_the_two_tables(method: str) -> None:
    found = [published.miou(method, *variant) for variant in VARIANTS]
    assert [100 * x for x in found if x is not None] == pytest.approx(DERIVED[method], abs=0.05)


def test_unmeasured_is_none() -> None:
    assert published.miou("ncl", "none", 0) is None
    assert published.miou("rw-flip-after", "shrink", 1.0) is None


def test_every_printed_number_is_in_the_paper(shared: Path) -> None:
    text = (shared / "reference" / "paper.txt").read_text(encoding="utf-8")
    tables = {n: text[text.index(f"Table {n}:") :][:1600] for n in (1, 2, 4)}
    ablation = re.findall(r"\b\d\d\.\d\b", tables[1])
    assert [f"{row.miou_percent}" for row in published.table1()] == ablation[: len(published.table1())]
    for row in published.table2():
        line = next(x for x in tables[2].splitlines() if x.startswith(row.title))
        printed = [x for x in line.split("\t")[3:] if x]
        ours = ["-" if x is None else f"{x}" for x in (row.miou_percent, row.miou_crf_percent)]
        assert printed == ours
    lines = {"baseline": "baseline", "rw": "+Random Walk", "rw-ss": "+Self-Supervision"}
    for method, start in lines.items():
        line = next(x for x in tables[4].splitlines() if x.startswith(start))
        printed = [float(x) / 100 for x in re.findall(r"([\d.]+)%", line)]
        ours = [ratio for (m, _, _), ratio in published.table4().items() if m == method]
        assert ours == pytest.approx(printed)


def test_compared_methods_with_a_card_are_in_the_grid() -> None:
    library = Library()
    rows = [r for r in (*published.table2(), *published.later()) if r.method in library.names("methods")]
    assert len(rows) >= 6
    assert {row.method for row in rows} <= set(library.grid("comparison").methods)
    for row in rows:
        supervision = library.method(row.method).supervision
        words = {"strokes": "scribble", "points": "point", "boxes": "box", "tags": "image", "masks": "full"}
        assert row.supervision == words[supervision]


def test_claims_name_methods_of_the_ablation() -> None:
    names = {row.method for row in published.table1()}
    assert {name for claim in published.claims() for name in (claim.worse, claim.better)} <= names


def test_a_broken_table_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "published_folder", lambda: tmp_path)
    with pytest.raises(UserError, match=r"table1\.csv"):
        published.table1.__wrapped__()
    (tmp_path / "table1.csv").write_text("method,miou_percent\nrw,high\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"table1\.csv"):
        published.table1.__wrapped__()
