"""``scribblebench list``: which cards there are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._options import cards_option
from scribblebench.core.errors import UserError
from scribblebench.core.library import KINDS, Library

if TYPE_CHECKING:
    from rich.table import Table

_DAMAGED = "(cannot be used, see below)"


@click.command("list")
@click.argument("kinds", nargs=-1, type=click.Choice(list(KINDS)))
@cards_option
def command(kinds: tuple[str, ...], cards: tuple[Path, ...]) -> None:
    """List the datasets, methods, protocols and grids in reach, or only the KINDS named.

    Cards that cannot be used are listed too, with what is wrong, and the exit code is 1.
    """
    from rich.console import Console

    library = Library(*cards)
    console = Console()
    faults: list[UserError] = []
    for kind in kinds or KINDS:
        console.print(_table(library, kind, faults))
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    if faults:
        sys.exit(1)


def _table(library: Library, kind: str, faults: list[UserError]) -> Table:
    """Lay out the cards of a kind; what is wrong with some is added to ``faults``."""
    from rich.table import Table
    from rich.text import Text  # titles are no markup

    table = Table(title=kind, title_justify="left", box=None, header_style="dim")
    table.add_column("name", no_wrap=True)
    table.add_column("title")
    for name in library.names(kind):
        try:
            title = library.card(kind, name).title
        except UserError as error:
            faults.append(error)
            title = _DAMAGED
        table.add_row(Text(name), Text(title))
    return table
