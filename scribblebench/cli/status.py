"""``scribblebench status``: how far a grid is, from another terminal or machine."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import click

from scribblebench.cli._options import runs_option


@click.command("status")
@click.option("--grid", help="The grid to look at. Default: the one that was started last.")
@click.option("--all", "every", is_flag=True, help="All cells of all grids, and records of no grid.")
@click.option("--watch", is_flag=True, help="Look again and again, until no cell is left; Ctrl-C ends it.")
@click.option("--every", "seconds", type=click.FloatRange(min=0.1), default=5.0, show_default=True,
              help="Seconds between two looks.")  # fmt: skip
@runs_option
def command(grid: str | None, every: bool, watch: bool, seconds: float, runs: Path) -> None:
    """Show how far the cells of a grid are, and how long the rest will take.

    Reads the folder of records alone, so it works from any terminal or machine that sees the folder, while
    'run' is at it and afterwards. Cells that are done are counted; the others have a line each: running (how
    far, where, since when), failed and interrupted (why), missing. The time left is judged by the epochs that
    a cell has behind it, and by finished cells of the same method.

    \b
    scribblebench status
    scribblebench status --watch --runs /scratch/me/runs
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.grid.status import status, table

    while True:
        found = status(runs, grid, every)
        if watch:
            click.clear()
        click.echo("\n".join(table(found)))
        over = not any(found.counts[name] for name in ("running", "missing"))
        if not watch or over:
            return
        with contextlib.suppress(InterruptedError):
            time.sleep(seconds)
