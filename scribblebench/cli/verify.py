"""``verify``: is this variant what its manifest says, and what its source gives?"""

from __future__ import annotations

from pathlib import Path

import click

from scribblebench.cli._options import cards_option
from scribblebench.cli._progress import progress
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.variant import open_variant
from scribblebench.sources.verify import check_files, check_source
from scribblebench.sources.workers import default_workers


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="The source: make the variant again from it, and compare.",
)
@cards_option
def command(folder: Path, data_dir: Path | None, cards: tuple[Path, ...]) -> None:
    """Check a variant's files against its manifest, and with --data-dir against its source.

    What differs is named, and the exit code is 2.
    """
    variant = open_variant(folder)
    source = variant.head.source
    card = Library(*cards).dataset(source.dataset)
    with progress("files") as report:
        differences = check_files(variant, card, report, default_workers())
    if data_dir is not None:
        dataset = open_dataset(card, data_dir, source.strokes)
        with progress("source") as report:
            differences += check_source(variant, dataset, report, default_workers())
    if differences:
        rest = [f"... and {len(differences) - 10} more"] if len(differences) > 10 else []
        heading = f"{folder} has {len(differences)} differences. Remove it and make it again:"
        raise UserError("\n  ".join((heading, *differences[:10], *rest)))
    against = "manifest" if data_dir is None else f"manifest and {data_dir}"
    click.echo(f"{folder}: {len(variant.ids):,} images agree with {against}; {variant.fingerprint[:16]}")
