"""The whole report: tables, figures and the page, into one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from scribblebench.report.collect import Group, file_safe
from scribblebench.report.estimates import Estimates
from scribblebench.report.figures.annotation import annotation as drawn_annotation
from scribblebench.report.figures.curves import curves
from scribblebench.report.figures.differences import differences as drawn_differences
from scribblebench.report.figures.training import logged, losses
from scribblebench.report.folder import PAGE, check_free, publish
from scribblebench.report.layouts import measured_files, printed_files
from scribblebench.report.left_out import Damaged, left_out
from scribblebench.report.measured import Table
from scribblebench.report.page import Picture, Section, page
from scribblebench.report.published import Claim
from scribblebench.report.standings import compared
from scribblebench.report.tables import Rows, to_csv
from scribblebench.report.tables.annotation import annotation
from scribblebench.report.tables.cells import cells
from scribblebench.report.tables.comparisons import comparisons
from scribblebench.report.tables.differences import differences
from scribblebench.report.tables.robustness import areas
from scribblebench.report.tables.sources import sources
from scribblebench.report.tables.standings import standings
from scribblebench.report.tables.table1 import table1
from scribblebench.report.tables.table2 import table2
from scribblebench.report.tables.table4 import table4, table4_long

TABLES: dict[str, Callable[[Sequence[Estimates]], Rows]] = {
    "table4.csv": table4,
    "table4_long.csv": table4_long,
    "table1.csv": table1,
    "table2.csv": table2,
    "annotation.csv": annotation,
    "comparisons.csv": comparisons,
    "standings.csv": standings,
    "robustness.csv": areas,
    "differences.csv": differences,
}


def write_report(
    groups: Sequence[Group],
    out: Path,
    resamples: int,
    measured: Sequence[Table] = (),
    damaged: Damaged = (),
    *,
    converged_only: bool = False,
    claims: Sequence[Claim] = (),
) -> list[Estimates]:
    """Write ``cells.csv``, the other tables, figures as PNG and SVG, and ``index.html``.

    Args:
        groups: trained cells.
        out: the folder.
        resamples: behind each interval.
        measured: what was measured besides mIoU.
        damaged: files that could not be read, and why.
        converged_only: keep cells whose training loss still fell out of ratios and comparisons.
        claims: inequalities to be tested.

    Returns:
        The estimates behind the tables.

    Raises:
        UserError: ``out`` is not a folder that can hold a report, or cannot be written.
    """
    check_free(out)
    estimates = [
        Estimates(group, resamples, converged_only=converged_only, claims=claims) for group in groups
    ]
    files: dict[str, bytes | str] = {"cells.csv": to_csv(cells(groups))} if groups else {}
    files |= _tables(estimates)
    for table in measured:
        files |= {table.kind.file: to_csv(table.rows), **measured_files(table)}
    sections = [_section(e, files) for e in estimates]
    files[PAGE] = page(sections, measured, left_out(groups, damaged), sorted([*files, PAGE]))
    publish(files, out)
    return estimates


def _tables(estimates: Sequence[Estimates]) -> dict[str, str]:
    """Write every table as CSV, some in Markdown and LaTeX too, and where their numbers come from."""
    rows = {name: found for name, table in TABLES.items() if (found := table(estimates))}
    if not rows:
        return {}
    files = {name: to_csv(found) for name, found in {**rows, "sources.csv": sources(estimates, rows)}.items()}
    for name, found in rows.items():
        # Table 4 in the paper's layout has a quantity a row; for print its numbers stand together.
        long = rows["table4_long.csv"] if name == "table4.csv" else found
        files |= printed_files(name.removesuffix(".csv"), long)
    return files


def _section(estimates: Estimates, files: dict[str, bytes | str]) -> Section:
    """Draw a group's figures, add them to the files, and keep them for the page."""
    group = estimates.group

    def keep(name: str, title: str, drawn: dict[str, bytes]) -> Picture:
        stem = file_safe(f"{name}_{group.name}")
        files.update({f"{stem}.{kind}": content for kind, content in drawn.items()})
        return Picture(drawn["svg"], title)

    against = [
        keep(
            f"differences_{kind}",
            f"Paired differences from the baseline, {'undegraded scribbles' if kind == 'none' else kind}, "
            "with 95 % intervals; filled where they leave 0 out.",
            drawn,
        )
        for kind, methods in compared(estimates).items()
        if (drawn := drawn_differences(estimates, kind, methods)) is not None
    ]
    if (costs := drawn_annotation(estimates)) is not None:
        title = (
            "mIoU against the seconds that people need for an image of VOC, with 95 % intervals; the line "
            "goes down to the lowest mean under any degradation."
        )
        against.append(keep("annotation", title, costs))
    degraded = [
        keep(
            f"curves_{kind}",
            f"mIoU and drop ratio against the {kind} rate, with 95 % bands.",
            curves(estimates, kind),
        )
        for kind in group.kinds
    ]
    training = [
        keep(name, title, drawn)
        for name, title, drawn in (
            ("training", "Training loss of every cell: a panel a method, a colour a variant.", losses(group)),
            ("logged", "What the losses logged, on undegraded scribbles.", logged(group)),
        )
        if drawn is not None
    ]
    return Section(estimates, against, degraded, training)
