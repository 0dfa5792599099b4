"""``scribblebench list``: which cards and parts there are, and what one of them holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._options import Words, cards_option
from scribblebench.core.errors import UnknownNameError
from scribblebench.core.library import KINDS, Library

if TYPE_CHECKING:
    from rich.table import Table

    from scribblebench.cli._listing import Line


@click.command("list")
@click.argument("words", nargs=-1, metavar="[KIND...] | [KIND NAME...]", type=Words())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@cards_option
def command(words: tuple[str, ...], as_json: bool, cards: tuple[Path, ...]) -> None:
    """List the datasets, methods, protocols and grids in reach, or what one of them holds.

    Parts are listed too: losses, heads, backbones, degradations, inferences, refiners, propagations,
    readers, layouts, jobs, optimizers and schedules. The word for one of a kind takes names after it.
    Cards that cannot be used are listed with what is wrong, and the exit code is 1.

    \b
    scribblebench list methods grids
    scribblebench list method rw-ss
    scribblebench list losses
    scribblebench list loss gated_crf --json
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._listing import details, kinds, lines

    known, library = kinds(), Library(*cards)
    for word in words[:1]:
        if word not in known:
            raise UnknownNameError("kind", word, sorted(set(known.values())))
    if len(words) > 1 and words[0] != known[words[0]]:
        found = [details(library, known[words[0]], name) for name in words[1:]]
        click.echo(json.dumps(found, ensure_ascii=False, indent=1) if as_json else _laid_out(found))
        return
    for word in words[1:]:
        if word not in known:
            raise UnknownNameError("kind", word, sorted(set(known.values())))
    _tables({known[w]: list(lines(library, known[w])) for w in words or KINDS}, as_json)


def _tables(listed: dict[str, list[Line]], as_json: bool) -> None:
    from scribblebench.cli._console import make_console

    faults = [line.error for of_kind in listed.values() for line in of_kind if line.error]
    if as_json:
        plain = {kind: [line._asdict() for line in of_kind] for kind, of_kind in listed.items()}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=1))
    else:
        console = make_console()
        for kind, of_kind in listed.items():
            console.print(_table(kind, of_kind))
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    if faults:
        sys.exit(1)


def _table(kind: str, listed: Sequence[Line]) -> Table:
    from rich.table import Table
    from rich.text import Text  # titles are no markup

    table = Table(title=kind, title_justify="left", box=None, header_style="dim")
    table.add_column("name", no_wrap=True)
    table.add_column("title")
    for line in listed:
        table.add_row(Text(line.name), Text(line.title))
    return table


def _laid_out(found: Sequence[dict[str, Any]]) -> str:
    """Lay out cards and parts as text, a field a line."""
    from scribblebench.cli._listing import flat

    out = []
    for one in found:
        head = {key: value for key, value in one.items() if key not in ("fields", "options")}
        rows = [(key, str(value)) for key, value in head.items()]
        rows += [(key, _plain(value)) for key, value in flat(one.get("fields", {}))]
        for option in one.get("options", []):
            default = "must be given" if option["required"] else f"default {option['default']}"
            rows.append((option["name"], f"{option['takes']}; {default}. {option['text']}"))
        width = max(len(key) for key, _ in rows) + 2
        out.append("\n".join(f"{key:{width}}{value}".rstrip() for key, value in rows))
    return "\n\n".join(out)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
