from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scribblebench.cli.main import main
from scribblebench.store.record import read_records


@pytest.fixture
def report(grid: Path, tmp_path: Path) -> Path:
    main(["report", "--runs", str(grid), "--out", str(tmp_path / "report"), "--resamples", "200"])
    return tmp_path / "report"


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_cells_are_the_records_and_what_is_missing(report: Path, grid: Path) -> None:
    found = rows(report / "cells.csv")
    assert {"method", "dataset", "protocol", "kind", "rate", "seed", "status", "miou"} <= found[0].keys()
    miou = {row["cell"]: float(row["miou"]) for row in found if row["status"] == "done"}
    assert miou == {r.cell: r.miou for r in read_records(grid).records if r.status == "done"}
    failed, missing = ([r for r in found if r["status"] == s] for s in ("failed", "missing"))
    assert [row["note"] for row in failed] == ["the loss is not finite"]
    assert [(row["method"], row["rate"]) for row in missing] == [("rw-ss", "0.7")]


def test_table4_is_laid_out_as_the_papers_and_holds_the_records_numbers(report: Path, grid: Path) -> None:
    table = pd.read_csv(report / "table4.csv").set_index(["method", "quantity"])
    assert list(table.columns[-5:]) == ["none", "shrink 0.2", "shrink 0.5", "shrink 0.7", "shrink 1"]
    done = [r for r in read_records(grid).records if r.status == "done" and r.miou is not None]
    mean = pd.Series({(r.method, r.rate, r.seed): r.miou for r in done}).groupby(level=[0, 1]).mean()
    assert table.loc[("rw", "miou"), "shrink 1"] == pytest.approx(mean["rw", 1.0])
    expected = (mean["rw", 0.0] - mean["rw", 1.0]) / mean["rw", 0.0]
    assert table.loc[("rw", "drop_ratio"), "shrink 1"] == pytest.approx(expected)
    assert table.loc[("rw", "paper_drop_ratio"), "shrink 1"] == 0.218
    assert table.loc[("rw", "paper_miou"), "none"] == 0.676
    assert pd.isna(table.loc[("rw-ss", "miou"), "shrink 0.7"])
    for quantity in ("miou", "drop_ratio"):
        low, value, high = (
            table.loc[("rw", f"{quantity}{end}"), "shrink 1"] for end in ("_low", "", "_high")
        )
        assert low < value < high
    long = pd.read_csv(report / "table4_long.csv").set_index(["method", "kind", "rate"])
    assert long.loc[("rw", "shrink", 1.0), "miou"] == table.loc[("rw", "miou"), "shrink 1"]
    assert long.loc[("rw-ss", "shrink", 0.7), "status"] == "missing"


def test_table1_has_all_rows_of_the_paper(report: Path) -> None:
    table = pd.read_csv(report / "table1.csv").set_index("method")
    assert len(table) == 11
    assert table["paper_miou"].iloc[-1] == 0.712
    assert table.loc["rw-flip-after", "status"] == "missing"
    assert table.loc["baseline", "miou"] > 0
    assert not (report / "table2.csv").exists()  # the toy dataset has no place among results on VOC


def test_the_authors_own_baseline_stands_beside_table1(make: Any, tmp_path: Path) -> None:
    records = {method: make(method) for method in ("baseline", "baseline-aspp")}
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--resamples", "100"])
    table = pd.read_csv(tmp_path / "out" / "table1.csv")
    assert list(table["method"].iloc[[0, -1]]) == list(records)
    assert len(table) == 12
    assert table["miou"].iloc[-1] == pytest.approx(records["baseline-aspp"].miou)


def test_table2_sets_ours_beside_the_published(make: Any, tmp_path: Path) -> None:
    record = make("ncl", dataset="voc2012", protocol="voc-mini")
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--resamples", "100"])
    table = pd.read_csv(tmp_path / "out" / "table2.csv").set_index("title")
    assert table.loc["NCL", "miou"] == pytest.approx(record.miou)
    assert table.loc["NCL", "paper_miou_crf"] == 0.745
    assert table["miou"].notna().sum() == 1
    assert table.loc["NCL", "note"].startswith("The loss and its gradient are exact")
    assert table.loc["NCL", ["supervision", "backbone", "paper_backbone"]].tolist() == [
        "scribble",
        "tiny",
        "ResNet101",
    ]
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("<h3>Table 2: compared methods") == 1


def test_table2_adds_what_nobody_printed_a_number_of(make: Any, tmp_path: Path) -> None:
    for method in ("full", "gated-crf", "tree-energy", "rw-uniform"):
        make(method, dataset="voc2012")
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--resamples", "100"])
    table = pd.read_csv(tmp_path / "out" / "table2.csv").set_index("method")
    assert table["title"].iloc[-3:].tolist() == ["TEL, DeepLabV3+", "full", "gated-crf"]
    assert table.loc["tree-energy", "paper_miou"] == 0.776
    assert table.loc[["full", "gated-crf"], "supervision"].tolist() == ["full", "scribble"]
    assert table.loc[["full", "gated-crf"], "paper_miou"].isna().all()
    assert "rw-uniform" not in table.index  # a control, compared elsewhere


def test_a_crf_stands_beside_the_plain_number(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The difference is paired: its interval is narrower than that of either number."""
    variants = (("none", 0.0), ("shrink", 1.0))
    setting = {"overrides": {"evaluation.crf": "urss"}, "crf": "urss", "dataset": "voc2012"}
    records = [make("ncl", variant, seed, **setting) for variant in variants for seed in (0, 1)]
    plain = make("ncl", dataset="voc2012")
    out = tmp_path / "out"
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(out), "--resamples", "100"])
    long = pd.read_csv(out / "table4_long.csv").set_index(["settings", "rate"])
    row = long.loc[("evaluation.crf=urss", 0.0)]
    miou, refined = (np.mean([getattr(r, name) for r in records[:2]]) for name in ("miou", "miou_crf"))
    assert row["miou"] == pytest.approx(miou)
    assert row["miou_crf"] == pytest.approx(refined)
    assert row["crf_gain"] == pytest.approx(refined - miou)
    assert row["crf_gain_low"] < row["crf_gain"] < row["crf_gain_high"]
    assert row["crf_gain_high"] - row["crf_gain_low"] < 0.5 * (row["miou_high"] - row["miou_low"])
    without = long.loc[(np.nan, 0.0)]
    assert without["miou"] == pytest.approx(plain.miou)
    assert without[["miou_crf", "crf_gain"]].isna().all()
    table2 = pd.read_csv(out / "table2.csv").set_index("settings")
    assert table2.loc["evaluation.crf=urss", "miou_crf"].max() == pytest.approx(refined)
    wide = pd.read_csv(out / "table4.csv")
    assert set(wide.loc[wide["quantity"] == "crf_gain", "settings"]) == {"evaluation.crf=urss"}
    cells = pd.read_csv(out / "cells.csv").set_index("cell")
    assert cells.loc[records[0].cell, ["crf", "miou_crf"]].tolist() == ["urss", records[0].miou_crf]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<h3>Without and with the dense CRF") == 1
    assert f"CRF {100 * refined:.1f}" in capsys.readouterr().out


def test_own_inequalities_are_tested_instead_of_the_papers(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        make("rw", seed=seed)
        make("mine", ("shrink", 0.5), seed, kind="none", rate=0.0)
    claims = tmp_path / "mine.csv"
    claims.write_text(
        "worse,better,quantity,kind,source\nmine,rw,miou,none,me\nrw,min,miou,none,me\n", encoding="utf-8"
    )
    out = tmp_path / "out"
    options = ["--runs", str(tmp_path / "runs"), "--out", str(out), "--resamples", "100"]
    main(["report", *options, "--claims", str(claims)])
    assert "mine.csv: not measured: min better than rw in miou, none." in capsys.readouterr().err
    (row,) = pd.read_csv(out / "comparisons.csv").to_dict("records")
    miou = pd.read_csv(out / "cells.csv").groupby("method")["miou"].mean()
    assert (row["better"], row["source"]) == ("rw", "me")
    assert row["difference"] == pytest.approx(miou["rw"] - miou["mine"])
    assert "Claimed by me." in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "row",
    [
        "rw,mine,miou,none",
        "rw,mine,miou,none,me,more",
        "rw,mine,best,none,me",
        "rw,mine,mean_loss,none,me",
        "rw,min\u00e9,miou,none,me",
    ],
)
def test_inequalities_that_cannot_be_are_refused(
    grid: Path, tmp_path: Path, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claims, out = tmp_path / "mine.csv", tmp_path / "out"
    claims.write_text(f"worse,better,quantity,kind,source\n{row}\n", encoding="latin-1")
    with pytest.raises(SystemExit, match="2"):
        main(["report", "--runs", str(grid), "--out", str(out), "--claims", str(claims)])
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(r"mine\.csv.*(\$\[0\]|at byte 40)", line)
    assert not out.exists()


def test_the_page_stands_alone_and_says_what_failed(report: Path) -> None:
    page = (report / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page
    for text in (
        "the loss is not finite",
        "missing",
        "cpu, 2 threads",
        "scribblebench run --grid shrink",
        "0123abc",
    ):
        assert text in page
    assert "One seed a cell" not in page


def test_one_seed_is_said_to_say_nothing_of_training(make: Any, tmp_path: Path) -> None:
    make("rw")
    make("rw", ("shrink", 1.0))
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--resamples", "100"])
    assert "One seed a cell" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_reason_is_text_not_markup(make: Any, tmp_path: Path) -> None:
    make("rw", status="failed", reason="<script>alert(1)</script>", method_title="[bold]RW[/bold]")
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--resamples", "100"])
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_figures_are_pictures_of_both_formats(report: Path) -> None:
    for name in ("curves_shrink_toy_toy", "differences_shrink_toy_toy", "training_toy_toy", "logged_toy_toy"):
        with Image.open(report / f"{name}.png") as image:
            assert len(set(image.convert("L").tobytes())) > 50  # something is drawn
        assert ET.parse(report / f"{name}.svg").getroot().tag.endswith("svg")  # noqa: S314 - our own file


def test_the_same_records_give_the_same_bytes_and_stale_figures_go(
    grid: Path, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")  # the page says when it was written
    report = tmp_path / "report"
    main(["report", "--runs", str(grid), "--out", str(report), "--resamples", "200"])
    assert "Written 2026-01-01 00:00 UTC on " in (report / "index.html").read_text(encoding="utf-8")
    before = {path.name: path.read_bytes() for path in report.iterdir()}
    again = ["report", "--runs", str(grid), "--out", str(report), "--resamples", "200"]
    make("rw", protocol="other")
    main(again)
    assert (report / "training_toy_other.png").exists()
    main([*again, "--protocol", "toy"])
    assert {path.name: path.read_bytes() for path in report.iterdir()} == before


@pytest.mark.parametrize("content", ["<html>my holidays</html>", None])
def test_a_page_or_file_of_somebody_else_is_left_alone(
    grid: Path, tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine"
    if content is None:
        out.write_text("a file", encoding="utf-8")
    else:
        out.mkdir()
        (out / "index.html").write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["report", "--runs", str(grid), "--out", str(out)])
    assert stopped.value.code == 2
    assert str(out) in capsys.readouterr().err
    if content is not None:
        assert [path.name for path in out.iterdir()] == ["index.html"]


def test_a_broken_record_is_one_line_exit_1_and_the_report_of_the_others(
    grid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (grid / "half.json").write_text("{", encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["report", "--runs", str(grid), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(grid / "half.json") in said
    assert (tmp_path / "out/index.html").exists()


def test_titles_are_words_and_no_formulas(make: Any, tmp_path: Path) -> None:
    """A dollar sign is no mathematics, a bracket no style, an angle no tag, an equals sign no formula."""
    for method, title in (("rw", r"$\\frac{a}{b$ [red]x[/] <b>"), ("other", "=HYPERLINK(1)")):
        for variant in (("none", 0.0), ("shrink", 0.5)):
            make(method, variant, method_title=title)
    out = str(tmp_path / "out")
    main(["report", "--runs", str(tmp_path / "runs"), "--out", out, "--resamples", "100"])
    assert "&lt;b&gt;" in (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "'=HYPERLINK(1)" in (tmp_path / "out/table4.csv").read_text(encoding="utf-8")


def test_what_is_left_out_is_on_the_page(grid: Path, make: Any, tmp_path: Path) -> None:
    (grid / "half.json").write_text("{", encoding="utf-8")
    (grid / "variation").mkdir()
    (grid / "variation/odd.json").write_text("<script>", encoding="utf-8")
    out = tmp_path / "out"
    with pytest.raises(SystemExit, match="1"):
        main(["report", "--runs", str(grid), "--out", str(out), "--resamples", "100"])
    _, _, section = (out / "index.html").read_text(encoding="utf-8").partition("Not in the tables")
    for text in ("half.json", "odd.json", "failed: the loss is not finite"):
        assert text in section
    assert "<script>" not in section


def test_methods_of_one_title_keep_their_own_rows(make: Any, tmp_path: Path) -> None:
    for method in ("one", "two"):
        make(method, method_title="RW")
    main(["report", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"), "--resamples", "100"])
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    heat = page[page.index("IoU of each class") :]
    assert len(re.findall(r'<th scope="rowgroup" rowspan="1">.*RW</th>', heat[: heat.index("</table>")])) == 2


def test_no_number_is_cut_on_a_narrow_terminal(
    grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    main(["report", "--runs", str(grid), "--out", str(tmp_path / "out"), "--resamples", "100"])
    said = capsys.readouterr().out
    assert "\u2026" not in said
    table = pd.read_csv(tmp_path / "out/table4.csv").set_index(["method", "quantity"])
    for method, title in (("baseline", "Baseline"), ("rw-ss", "RW + SS")):
        (line,) = (line for line in said.splitlines() if title in line)
        assert f"{100 * table.loc[(method, 'miou'), 'shrink 1']:.1f}" in line
