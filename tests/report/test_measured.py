from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from scribblebench.cli.main import main
from scribblebench.report import published
from scribblebench.store.measurement import Measurement, Value, write_measurement

COST: dict[str, Value] = {
    "parameters": 24_757_721,
    "trunk_parameters": 23_508_032,
    "head_parameters": 1_249_689,
    "walk_parameters": 0,
    "parameters_mi": 23.6108,
    "training_memory_mb": 900.5,
    "inference_memory_mb": 300.25,
    "images_per_second": 4.5,
    "training_images_per_second": 1.5,
    "gflops": 60.25,
    "crop": 465,
    "batch": 2,
    "output_stride": 16,
}


def measured(job: str, method: str, *rows: dict[str, Value]) -> Measurement:
    return Measurement(
        job=job,
        method=method,
        method_title=method.upper(),
        dataset="voc2012",
        protocol="efficiency",
        identity={"method": method},
        started="2026-01-01T00:00:00+00:00",
        overrides={"crop": 97},
        rows=rows,
    )


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_table5_stands_without_any_trained_cell(tmp_path: Path) -> None:
    runs, out = tmp_path / "runs", tmp_path / "report"
    for method in ("baseline-aspp", "rw", "mine"):
        write_measurement(runs, measured("efficiency", method, COST))
    main(["report", "--runs", str(runs), "--out", str(out)])
    found = {row["model"]: row for row in rows(out / "table5.csv")}
    assert found["baseline-aspp"]["parameters"] == "24757721"
    paper = {name: row["paper_parameters_mi"] for name, row in found.items()}
    assert paper == {"baseline-aspp": "23.61", "rw": "+0.31", "mine": ""}
    assert "24,757,721" in found["baseline-aspp"]["paper_note"]
    assert found["rw"]["settings"] == "crop=97"
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<td>24,757,721</td>" in page
    assert not (out / "table3.csv").exists()
    assert not (out / "cells.csv").exists()


def test_table3_puts_the_papers_number_beside_its_own(tmp_path: Path) -> None:
    where: dict[str, Value] = {"seed": 0, "transform": "flip", "location": "before", "images": 8}
    ours = {**where, "variation": 0.125, "variation_elementwise": 0.25}
    write_measurement(tmp_path / "runs", measured("variation", "rw", ours))
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "report")])
    (row,) = rows(tmp_path / "report/table3.csv")
    assert (row["variation"], row["paper_variation"]) == ("0.125", "0.253")


def test_filters_hold_for_measurements_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_measurement(tmp_path / "runs", measured("efficiency", "rw", COST))
    with pytest.raises(SystemExit):
        main(["report", "--runs", str(tmp_path / "runs"), "--dataset", "toy"])
    assert "No record of dataset 'toy'" in capsys.readouterr().err


def test_printed_numbers_are_in_the_paper(shared: Path) -> None:
    text = (shared / "reference" / "paper.txt").read_text(encoding="utf-8")
    third = text[text.index("Table 3:") :][:400]
    ours = [f"{100 * value:.1f}%" for value in published.table3().values()]
    assert re.findall(r"[\d.]+%", third)[:6] == ours
    fifth = text[text.index("Table 5:") :][:600]
    for row in published.table5().values():
        sign = "+" if row.change == "yes" else ""
        assert f"{sign}{row.parameters_mi:g} M" in fifth
        assert f"{sign}{row.memory_mb:g} MB" in fifth
