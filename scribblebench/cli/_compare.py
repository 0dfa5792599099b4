"""``scribblebench report --compare``: two results beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scribblebench.core.errors import UserError


def compare(
    sides: Sequence[Path], out: Path, dataset: str | None, protocol: str | None, resamples: int
) -> None:
    """Compare two folders of records or bundles, write the tables and print them.

    Raises:
        UserError: one cannot be read, or they have nothing in common.
    """
    from rich.markup import escape
    from rich.table import Table

    from scribblebench.cli._console import make_console, print_whole
    from scribblebench.report.bundle import opened
    from scribblebench.report.collect import gather
    from scribblebench.report.compare import compare_results

    with opened(sides) as folders:
        if len(folders) != len(sides):
            raise UserError("--compare: a bundle of several folders has no one side. Bundle them one by one.")
        a, b = (gather([folder], dataset, protocol) for folder in folders)
    found = compare_results(a.records, b.records, resamples)
    if not found.differences:
        raise UserError(
            f"{sides[0]} and {sides[1]} share no finished cell: nothing of the same dataset, method, "
            "scribbles and seed on an image in common."
        )
    found.write(out)
    console = make_console()
    for printed in found.printed():
        table = Table(title=escape(printed.caption), title_justify="left")
        for number, name in enumerate(printed.header):
            table.add_column(escape(name), justify="right" if number else "left", overflow="fold")
        for row in printed.rows:
            table.add_row(*map(escape, row))
        print_whole(console, table)
    console.print(f"A: {sides[0]}. B: {sides[1]}.", markup=False, highlight=False, soft_wrap=True)
    console.print(f"Wrote {out / 'compare.md'} and its tables.", soft_wrap=True, highlight=False)
    for _, why in [*a.damaged, *b.damaged]:
        click.echo(f"Left out: {why}", err=True)
