"""``scribblebench clean``: remove what a folder of records can do without."""

from __future__ import annotations

from pathlib import Path

import click

from scribblebench.cli._options import runs_option, variants_option
from scribblebench.core.errors import UserError
from scribblebench.grid.clean import KINDS, Folders, in_use, remove, rubbish

_MEANING = "; ".join(f"{name}: {kind.what}" for name, kind in KINDS.items())


@click.command("clean")
@click.option(
    "--only", type=click.Choice(list(KINDS)), multiple=True, help=f"Only this; repeatable. {_MEANING}."
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@runs_option
@variants_option
def command(only: tuple[str, ...], dry_run: bool, runs: Path, variants: Path) -> None:
    """Remove states on the way, labels of stages, decoded photographs, what dead processes left; no result.

    Records, confusion matrices, final weights, predictions and logs stay. What a living process holds stays
    too, and while any cell runs so does all that it may come to need. The same 'run' command makes again what
    it misses, and ends in the same numbers. Decoded photographs lie with the variants ('--variants').

    \b
    scribblebench clean --dry-run
    scribblebench clean --only prefixes --only photographs
    """  # noqa: D301 - click wants the backspace character itself
    if not runs.is_dir():
        raise UserError(f"No folder {runs}. Give --runs.")
    kinds = only or tuple(KINDS)
    at = Folders(runs, variants)
    found = rubbish(at, kinds)
    gone = found if dry_run else [each for each in found if remove(each)]
    for kind in KINDS:
        sizes = [each.size for each in gone if each.kind == kind]
        if sizes:
            price = KINDS[kind].price
            cost = "" if price == "nothing" else f" ({price})"
            click.echo(f"{len(sizes):>5} {KINDS[kind].what}, {sum(sizes) / 2**20:,.1f} MiB{cost}")
    for kind in in_use(at, kinds):
        click.echo(f"{KINDS[kind].what}: left alone, cells are running.", err=True)
    verb = "would be removed" if dry_run else "removed"
    click.echo(
        f"{len(gone)} {verb}, {sum(each.size for each in gone) / 2**20:,.1f} MiB; no result among them"
    )
