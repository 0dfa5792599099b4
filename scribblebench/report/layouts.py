"""Which columns of which CSV files are printed in Markdown and LaTeX, and under which headings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scribblebench.report.measured import Table
from scribblebench.report.printed import (
    Layout,
    Printed,
    lay_out,
    p_value,
    percent,
    plain,
    to_latex,
    to_markdown,
)
from scribblebench.report.tables import Rows


def _variant(row: Mapping[str, Any]) -> str:
    return "none" if row["kind"] == "none" else f"{row['kind']} {row['rate']:g}"


def _measured(row: Mapping[str, Any]) -> str:
    """Both numbers of Table 4, or why there is none."""
    if row["miou"] is None:
        return str(row["status"])
    ratio = (
        "" if row["drop_ratio"] is None else f" ({percent('drop_ratio')({'drop_ratio': row['drop_ratio']})})"
    )
    return f"{percent('miou')(row)}{ratio}"


_MIOU = {"seeds": plain("seeds"), "mIoU, %": percent("miou"), "paper": percent("paper_miou")}
LAYOUTS: dict[str, Layout] = {
    "table4": Layout(
        "Table 4: mIoU (drop ratio), %",
        {"method": plain("title")},
        each=("half",),
        across=("variant", _measured),
    ),
    "table1": Layout("Table 1: ablation on undegraded scribbles", {"method": plain("method"), **_MIOU}),
    "table2": Layout(
        "Table 2: compared methods on undegraded scribbles",
        {
            "method": plain("title"),
            "supervision": plain("supervision"),
            **_MIOU,
            "+ CRF": percent("miou_crf"),
        },
    ),
    "robustness": Layout(
        "Robustness: area under the curve of mIoU, %",
        {
            "method": plain("title"),
            "seeds": plain("seeds"),
            "area": percent("robustness"),
            "above baseline": percent("gain"),
            "p": p_value("p"),
        },
        each=("kind",),
    ),
    "standings": Layout(
        "Standings: above the baseline, points",
        {"method": plain("method")},
        each=("kind",),
        across=("rate", percent("gain")),
    ),
    "differences": Layout(
        "Paired differences, points",
        {
            "method": plain("method"),
            "less": plain("other"),
            "scribbles": _variant,
            "seeds": plain("seeds"),
            "difference": percent("difference"),
            "p, Holm": p_value("p_holm"),
        },
        each=("quantity",),
    ),
    "comparisons": Layout(
        "Inequalities, tested",
        {
            "better": plain("better"),
            "worse": plain("worse"),
            "quantity": plain("quantity"),
            "kind": plain("kind"),
            "seeds": plain("seeds"),
            "gain, points": percent("difference"),
            "p, Holm": p_value("p_holm"),
            "verdict": plain("verdict"),
        },
    ),
}


def printed_files(name: str, rows: Rows) -> dict[str, str]:
    """Write the rows of a CSV file as Markdown and LaTeX, where it has a layout.

    Args:
        name: of the CSV file, without its ending. Table 4 is printed from the rows of its long form.
        rows: its rows.

    Returns:
        File name -> content.
    """
    if name not in LAYOUTS or not rows:
        return {}
    known = _halves(rows) if name == "table4" else rows
    return written(name, lay_out(LAYOUTS[name], known))


def _halves(rows: Rows) -> Rows:
    """Sort the long form of Table 4 by kind: methods run on a kind, undegraded first, then at its rates.

    All stand in a table of undegraded scribbles where some were run on nothing else.
    """
    halves: list[dict[str, Any]] = []
    for group in dict.fromkeys(row["group"] for row in rows):
        own = [row for row in rows if row["group"] == group]
        on = {kind: {row["method"] for row in own if row["kind"] == kind} for kind in _kinds(own)}
        alone = {row["method"] for row in own} - set().union(*on.values())
        for kind, methods in {**({"none": {row["method"] for row in own}} if alone else {}), **on}.items():
            halves += [
                {**row, "variant": "none" if row["kind"] == "none" else f"{row['rate']:g}", "half": kind}
                for row in own
                if row["method"] in methods and row["kind"] in ("none", kind)
            ]
    return halves


def _kinds(rows: Rows) -> list[str]:
    return [kind for kind in dict.fromkeys(row["kind"] for row in rows) if kind != "none"]


def measured_files(table: Table) -> dict[str, str]:
    """Write a table of measurements in the same two forms: the columns that the page shows."""
    kind = table.kind
    label = kind.file.removesuffix(".csv")
    return written(label, [Printed(kind.title, label, list(kind.shown.values()), table.texts())])


def written(name: str, tables: list[Printed]) -> dict[str, str]:
    """Return both files of some tables."""
    return {f"{name}.md": to_markdown(tables), f"{name}.tex": to_latex(tables)}
