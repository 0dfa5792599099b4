"""``scribblebench report``: tables, curves and one HTML page from whatever records exist."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._options import file, folder
from scribblebench.cli._pictures import pictures_of

if TYPE_CHECKING:
    from rich.table import Table

    from scribblebench.report.collect import Variant
    from scribblebench.report.estimates import Estimates
    from scribblebench.report.left_out import Damaged
    from scribblebench.report.published import Claim
    from scribblebench.report.write import Pictures

RUNS = Path("results/runs")
OUT = Path("results/report")
COMPARED = Path("results/compare")
_FALLING = "\u2020"


@click.command("report")
@click.option(
    "--runs",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"A folder of records, or a bundle; may be given several times. [default: {RUNS}]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=f"Where the report goes. [default: {OUT}; {COMPARED} with --compare]",
)
@click.option("--dataset", help="Only records of this dataset.")
@click.option("--protocol", help="Only records of this protocol.")
@click.option(
    "--resamples",
    type=click.IntRange(100, 1_000_000),
    default=2000,
    show_default=True,
    help="Bootstrap resamples behind each interval.",
)
@click.option(
    "--converged",
    is_flag=True,
    help="Keep cells whose training loss still fell at the end out of ratios and comparisons.",
)
@click.option(
    "--claims",
    type=file,
    help="Inequalities to test instead of the paper's: a CSV like results/published/claims.csv.",
)
@click.option(
    "--data-dir",
    type=folder,
    help="The dataset's folder, for pictures of kept predictions on the page; the toy's is found by itself.",
)
@click.option(
    "--bundle",
    type=file,
    help="Also write the results into one zip that --runs reads: to publish, to submit.",
)
@click.option(
    "--compare",
    "sides",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="A B",
    help="Instead of a report: two folders or bundles, paired differences B less A, and what else differs.",
)
def command(
    runs: tuple[Path, ...],
    out: Path | None,
    dataset: str | None,
    protocol: str | None,
    resamples: int,
    converged: bool,
    claims: Path | None,
    data_dir: Path | None,
    bundle: Path | None,
    sides: tuple[Path, Path] | None,
) -> None:
    r"""Write tables, curves and one HTML page from the records of 'scribblebench run'.

    Cells that failed, still run or were never started are shown as such; the report can be written at any
    time.

    \b
    Examples:
      scribblebench report --data-dir VOC2012
      scribblebench report --bundle mine.zip
      scribblebench report --runs mine.zip --out results/theirs
      scribblebench report --compare results/runs mine.zip
    """
    from scribblebench.cli._compare import compare
    from scribblebench.report.bundle import opened, write_bundle

    if sides:
        if runs or bundle or converged or claims:
            raise click.UsageError("--compare takes none of --runs, --bundle, --converged, --claims.")
        compare(sides, out or COMPARED, dataset, protocol, resamples)
        return
    with opened(runs or (RUNS,)) as folders:
        pictures = partial(pictures_of, folders, data_dir)
        damaged = _report(folders, out or OUT, dataset, protocol, resamples, converged, claims, pictures)
        if bundle:
            count = write_bundle(folders, bundle, dataset, protocol)
            click.echo(
                f"Wrote {bundle}: {count} records. Read it with 'scribblebench report --runs {bundle}'."
            )
    for _, why in damaged:
        click.echo(f"Left out: {why}", err=True)
    if damaged:
        sys.exit(1)


def _report(
    folders: Sequence[Path],
    out: Path,
    dataset: str | None,
    protocol: str | None,
    resamples: int,
    converged: bool,
    claims: Path | None,
    pictures: Pictures,
) -> Damaged:
    """Write the report and print its main table; return what could not be read."""
    from scribblebench.cli._console import make_console, print_whole
    from scribblebench.report.collect import NONE, gather
    from scribblebench.report.folder import PAGE
    from scribblebench.report.measured import measured_tables
    from scribblebench.report.notes import notes
    from scribblebench.report.published import claims as read_claims
    from scribblebench.report.write import write_report

    measured = measured_tables(folders, dataset, protocol)
    gathered = gather(folders, dataset, protocol, may_be_empty=bool(measured.records))
    damaged = [*gathered.damaged, *measured.damaged]
    console = make_console()
    tested = read_claims(claims)
    written = write_report(
        gathered.records,
        out,
        resamples,
        measured.records,
        damaged,
        converged_only=converged,
        claims=tested,
        pictures=pictures,
    )
    for estimates in written:
        for note in notes(estimates.group):
            console.print(f"{estimates.group.name}: {note}", markup=False, highlight=False, soft_wrap=True)
        for kind in estimates.group.kinds or [NONE.kind]:
            print_whole(console, _summary(estimates, kind))
    tables = [table.kind.file for table in measured.records] + ["table4.csv"] * bool(written)
    names = ", ".join(str(out / name) for name in tables)
    console.print(f"Wrote {names} and {out / PAGE}.", soft_wrap=True, highlight=False)
    if claims:
        _name_unmeasured(claims, tested, written)
    return damaged


def _name_unmeasured(path: Path, tested: Sequence[Claim], written: Sequence[Estimates]) -> None:
    """Say which of the user's inequalities no group can answer: a method may be misspelt."""
    from scribblebench.report.comparisons import compare

    measured = {comparison.claim for estimates in written for comparison in compare(estimates)}
    for claim in tested:
        if claim not in measured:
            what = f"{claim.better} better than {claim.worse} in {claim.quantity}, {claim.kind}"
            click.echo(f"{path}: not measured: {what}.", err=True)


def _summary(estimates: Estimates, kind: str) -> Table:
    """Lay out one kind's half of Table 4 for the terminal: mIoU and, below it, the drop ratio."""
    from rich.markup import escape
    from rich.table import Table

    from scribblebench.report.collect import NONE
    from scribblebench.report.figures.curves import evidence

    group = estimates.group
    variants = group.columns(kind)
    falling = any(estimates.falling(method, variant) for method in group.on(kind) for variant in variants)
    caption = evidence(estimates, kind) + f"\n{_FALLING} training loss still fell at the end" * falling
    place = f"{group.dataset}, {group.protocol} protocol {group.settings}".strip()
    table = Table(
        title=escape(f"{place}: {kind}, mIoU (drop ratio){', with CRF,' * bool(group.crf)} in %"),
        caption=escape(caption),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("method", min_width=12, overflow="fold")
    for variant in variants:
        table.add_column("none" if variant == NONE else f"{variant.rate:g}", justify="right", no_wrap=True)
    for method, title in group.on(kind).items():
        table.add_row(escape(title), *(_entry(estimates, method, variant) for variant in variants))
    return table


def _entry(estimates: Estimates, method: str, variant: Variant) -> str:
    from scribblebench.report.tables.table4 import status

    miou, ratio = estimates.miou(method, variant), estimates.drop_ratio(method, variant)
    if miou is None:
        return status(estimates.group, method, variant).partition(":")[0]
    inside = ("" if ratio is None else f"{100 * ratio.value:.1f}") + _FALLING[
        : estimates.falling(method, variant)
    ]
    refined = estimates.miou_crf(method, variant)
    lines = [f"{100 * miou.value:.1f}", *([f"({inside})"] if inside else [])]
    return "\n".join(lines if refined is None else [*lines, f"CRF {100 * refined.value:.1f}"])
