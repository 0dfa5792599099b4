"""``fetch``: download a dataset into the folder where the other commands look for it."""

from __future__ import annotations

from pathlib import Path

import click

from scribblebench.cli._options import CardName, cards_option, folder


@click.command("fetch")
@click.argument("dataset", type=CardName("datasets"))
@click.option("--out", type=folder, help="Folder to make. Default: data/DATASET/source.")
@click.option("--cache", type=folder, help="Folder of downloads. Default: the user's cache folder.")
@click.option("--offline", is_flag=True, help="Use what lies in the cache; never go online.")
@cards_option
def command(
    dataset: str, out: Path | None, cache: Path | None, offline: bool, cards: tuple[Path, ...]
) -> None:
    """Download a dataset: archives by the mirrors and checksums of its card, then a folder in VOC layout.

    An interrupted download is carried on by the same command. A file that no mirror has any more can be put
    into the cache folder by hand; it is checked like any other.
    """
    from scribblebench.cli._progress import progress
    from scribblebench.core.library import Library
    from scribblebench.sources.download import default_cache
    from scribblebench.sources.fetch import fetch
    from scribblebench.sources.kinds import KINDS

    card = Library(*cards).dataset(dataset)
    root = out or Path("data") / card.name / "source"
    if KINDS.get(card.source)().generate(root):
        click.echo(f"{root}: generated")
        return
    fetched = fetch(card, root, cache or default_cache(), progress, offline)
    for item in fetched:
        verdict = "as the card says" if item.archive.sha256 else "nobody has published it; keep it"
        click.echo(f"{item.archive.name}: SHA-256 {item.sha256} ({verdict})")
    click.echo(f"{root}: {'ready' if fetched else 'already there'}")
