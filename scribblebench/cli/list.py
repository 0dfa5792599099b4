"""``scribblebench list``: which cards there are."""

from __future__ import annotations

from pathlib import Path

import click

from scribblebench.cli._options import cards_option
from scribblebench.core.library import KINDS, Library


@click.command("list")
@click.argument("kinds", nargs=-1, type=click.Choice(list(KINDS)))
@cards_option
def command(kinds: tuple[str, ...], cards: tuple[Path, ...]) -> None:
    """List the datasets, methods, protocols and grids in reach, or only the KINDS named."""
    from rich.console import Console
    from rich.table import Table

    library = Library(*cards)
    console = Console()
    for kind in kinds or KINDS:
        table = Table(title=kind, title_justify="left", box=None, header_style="dim")
        table.add_column("name", no_wrap=True)
        table.add_column("title")
        for name in library.names(kind):
            table.add_row(name, library.card(kind, name).title)
        console.print(table)
