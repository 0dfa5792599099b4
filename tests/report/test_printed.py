"""Markdown and LaTeX hold what the CSV holds, and no text of a user is obeyed."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.cli.main import main
from scribblebench.report.printed import Printed, escape_latex, to_latex, to_markdown
from scribblebench.store.record import read_record, record_path

# What LaTeX obeys, unless a backslash stands before it.
_OBEYED = re.compile(r"(?<!\\)[&%$#_~^]")
_COMMANDS = {"textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "ensuremath"}


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def columns_of(line: str) -> list[str]:
    assert line.endswith(r" \\")
    return re.split(r"(?<!\\)&", line.removesuffix(r" \\"))


def check_latex(text: str) -> int:
    """Parse tables strictly: environments nest, braces match, each row has a cell for each column."""
    depth, wide, count = [], 0, 0
    for line in text.splitlines():
        bare = line.replace(r"\\", "").replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}"), line
        if found := re.fullmatch(r"\\(begin|end)\{(\w+)\}(\{(l?r*)\})?", line):
            if found[1] == "begin":
                depth.append(found[2])
                wide = len(found[4] or "") or wide
            else:
                assert depth.pop() == found[2]
        elif line.endswith(r"\\"):
            assert depth == ["table", "tabular"]
            assert len(columns_of(line)) == wide
            assert not any(_OBEYED.search(cell.strip()) for cell in columns_of(line))
            count += 1
    assert not depth
    return count


@given(st.text("\\{}&%$#_~^[]<>*|`aé\n", max_size=12))
def test_no_text_of_a_user_is_obeyed(text: str) -> None:
    table = Printed(text, "label", ["method", text], [[text, "1"], ["x", text]])
    assert check_latex(to_latex([table])) == 3
    assert set(re.findall(r"\\([A-Za-z]+)", escape_latex(text))) <= _COMMANDS
    line = to_markdown([table]).splitlines()[-2]
    assert len(re.split(r"(?<!\\)(?:\\\\)*\|", line)) == 4


@pytest.fixture
def out(make: Any, grid: Path, tmp_path: Path) -> Path:
    make("mine_1", method_title="50 % of A & B_{x}")
    main(["report", "--runs", str(grid), "--out", str(tmp_path / "out"), "--resamples", "100"])
    return tmp_path / "out"


def test_printed_tables_are_the_csvs(out: Path) -> None:
    for name in ("table1", "table4", "robustness", "standings", "differences", "comparisons"):
        assert check_latex((out / f"{name}.tex").read_text(encoding="utf-8")) > 1
        assert (out / f"{name}.md").exists()
    tex = (out / "table4.tex").read_text(encoding="utf-8")
    assert r"50 \% of A \& B\_\{x\}" in tex
    long = [row for row in rows(out / "table4_long.csv") if (row["method"], row["rate"]) == ("rw", "1.0")]
    value, low, high, ratio = (
        f"{100 * float(long[0][name]):.1f}" for name in ("miou", "miou_low", "miou_high", "drop_ratio")
    )
    line = next(line for line in tex.splitlines() if line.startswith("+RW") and f"({ratio})" in line)
    assert columns_of(line)[-1].strip() == f"{value} {{[}}{low}, {high}{{]}} ({ratio})"
    assert f"{value} \\[{low}, {high}\\] ({ratio})" in (out / "table4.md").read_text(encoding="utf-8")


def test_every_number_is_traced_to_its_records(out: Path, grid: Path) -> None:
    """The mean over the records that are named is the number itself."""
    found = rows(out / "sources.csv")
    tables = {name: rows(out / name) for name in {row["table"] for row in found}}
    assert tables.keys() == {
        *("table4.csv", "table4_long.csv", "table1.csv", "standings.csv"),
        *("robustness.csv", "differences.csv", "comparisons.csv"),
    }
    traced = 0
    for row in found:
        records = [read_record(record_path(grid, slug)) for slug in row["records"].split()]
        assert all(record.status == "done" for record in records)
        source = tables[row["table"]][int(row["row"]) - 1]
        if row["column"] == "miou" and source.get("rate") != "area":
            expected = np.mean([record.miou for record in records])
            assert float(source["miou"]) == pytest.approx(float(expected))
            assert len(records) == int(source["seeds"])
            traced += 1
    numbers = [r for r in tables["table4_long.csv"] if r["miou"]]
    assert traced > 2 * len(numbers)
    assert len([r for r in found if (r["table"], r["column"]) == ("table4_long.csv", "miou")]) == len(numbers)
