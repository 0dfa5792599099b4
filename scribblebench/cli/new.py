"""``new``: a card of one's own to begin with, which runs as it is."""

from __future__ import annotations

from pathlib import Path

import click

from scribblebench.cli._options import folder


@click.command("new")
@click.argument("kind", type=click.Choice(["method", "loss", "dataset", "grid"]))
@click.argument("name")
@click.option(
    "--to", "cards", type=folder, default=Path("my-cards"), show_default=True, help="Folder of your cards."
)
def command(kind: str, name: str, cards: Path) -> None:
    """Write a card of your own to begin with: it runs on the toy dataset as it is; then change it.

    A loss is a Python file, a test and a method that uses it. A dataset is a card and a few toy scenes in
    data/NAME/source, in whose place yours go. Nothing that exists is overwritten.

    \b
    scribblebench new method my-method
    scribblebench new loss my_loss
    scribblebench new dataset cells
    scribblebench new grid my-grid
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._templates import files_of, next_step
    from scribblebench.core.errors import UserError
    from scribblebench.core.files import write_atomic
    from scribblebench.core.library import Library
    from scribblebench.core.names import check_name

    check_name(name, f"new {kind}")
    files = files_of(kind, name, cards)
    for path in files:
        if path.exists():
            raise UserError(f"{path} exists. Give another name, or remove it.")
        group = path.parent.name
        if path.suffix == ".yaml" and name.casefold() in map(str.casefold, Library().names(group)):
            raise UserError(f"There is a {group.removesuffix('s')} '{name}' already. Give another name.")
    if kind == "dataset":
        from scribblebench.sources.toy import ensure_excerpt

        click.echo(str(ensure_excerpt(Path("data") / name / "source")))
    for path, text in files.items():
        write_atomic(path, text)
        click.echo(str(path))
    click.echo(f"Next: {next_step(kind, name, cards)}")
