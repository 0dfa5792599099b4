"""``scribblebench evaluate``: label maps that another program predicted enter the tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._options import (
    LAST_SEED,
    cards_option,
    data_dir_option,
    dataset_option,
    folder,
    read_rates,
    runs_option,
)
from scribblebench.cli._setting import set_option
from scribblebench.core.errors import UserError

if TYPE_CHECKING:
    from scribblebench.core.library import Library

UNDEGRADED = "none"


def _read_variant(context: click.Context, parameter: click.Parameter, text: str) -> tuple[str, float]:
    """Read ``none`` or ``KIND:RATE``; rate 0 of any kind is ``none``."""
    from scribblebench.sources.spec import VariantSpec

    kind, colon, rate = text.rpartition(":")
    if text == UNDEGRADED:
        return UNDEGRADED, 0.0
    if not colon:
        raise UserError(f"--variant {text}: write it as KIND:RATE, such as shrink:0.5, or none.")
    rates = read_rates(context, parameter, rate) or ()
    if len(rates) != 1:
        raise UserError(f"--variant {text}: predictions come of one rate. Evaluate each by itself.")
    VariantSpec.of(kind, rates[0]).checked()
    return (kind, rates[0]) if rates[0] else (UNDEGRADED, 0.0)


@click.command("evaluate")
@click.option(
    "--predictions",
    type=folder,
    required=True,
    help="Folder with a label map ID.png of each val image; an id may name folders below it.",
)
@click.option("--as", "name", required=True, help="The method's name in tables; no card may have it.")
@click.option("--title", help="The same for people. Default: the name.")
@dataset_option
@data_dir_option
@click.option(
    "--variant",
    metavar="KIND:RATE",
    required=True,
    callback=_read_variant,
    help="The scribbles that were trained on, such as shrink:0.5; none where they were not degraded.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, LAST_SEED),
    default=0,
    show_default=True,
    help="Of scribbles and training together; predictions of each seed are evaluated by themselves.",
)
@click.option(
    "--protocol",
    default="external",
    show_default=True,
    help="The protocol that was kept to, by your word: then the result stands beside its cells.",
)
@set_option
@runs_option
@cards_option
def command(
    predictions: Path,
    name: str,
    title: str | None,
    dataset: str,
    data_dir: Path | None,
    variant: tuple[str, float],
    seed: int,
    protocol: str,
    overrides: dict[str, Any],
    runs: Path,
    cards: tuple[Path, ...],
) -> None:
    """Score label maps that any other program predicted, and record them beside our own cells.

    A prediction is an 8-bit grey or palette PNG of class indices, of the photograph's own size. Each image of
    the val list needs one. The record enters every table, interval and page of 'report', marked as external.

    \b
    scribblebench evaluate --predictions out/ --as mine --variant none
    scribblebench evaluate --predictions out-05/ --as mine --variant shrink:0.5 --seed 1 --title "My method"
    scribblebench evaluate --predictions out/ --as mine --variant none --dataset voc2012 --data-dir VOC2012 \\
        --protocol paper

    With --protocol NAME (and --set, as the cells had it) the result stands in the table of that protocol's
    cells on the same validation images; without, in one of external results (docs/predictions.md).
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._images import warn_of_extra
    from scribblebench.cli._progress import progress
    from scribblebench.core.library import Library
    from scribblebench.sources.folder import open_dataset
    from scribblebench.training.external import Claimed, extra_files, score_external

    library = Library(*cards)
    check_method_name(library, name)
    check_protocol(library, protocol, overrides)
    claimed = Claimed(
        method=name,
        title=check_title(title or name),
        protocol=protocol,
        overrides=overrides,
        kind=variant[0],
        rate=variant[1],
        seed=seed,
    )
    source = open_dataset(library.dataset(dataset), data_dir)
    memory = Path("data") / source.card.name / ".survey-val.json"
    with progress("scoring") as report:
        record = score_external(predictions, source, claimed, runs, memory, report)
    warn_of_extra(predictions, extra_files(predictions, source.ids("val")))
    for warning in record.warnings:
        click.echo(f"Warning: {warning}.", err=True)
    click.echo(f"{record.slug}: mIoU {record.miou:.1%}; its record is in {runs}")


def check_method_name(library: Library, name: str) -> None:
    """Look whether a name can stand in tables beside those of the cards.

    Raises:
        UserError: it cannot be a file's name, or a card has it.
    """
    from scribblebench.core.names import check_name

    check_name(name, "--as")
    if "," in name or " " in name:
        raise UserError(f"--as {name!r}: a method's name holds no comma and no space. Use --title for words.")
    if name.casefold() in {known.casefold() for known in library.names("methods")}:
        raise UserError(f"--as {name}: a method card has this name. Give your predictions another.")


def check_title(title: str) -> str:
    """Look whether a title is one line of print.

    Raises:
        UserError: it is not.
    """
    if not title.isprintable() or not title.strip():
        raise UserError(f"--title {title[:80]!r} is empty, or holds a line end or a control character.")
    return title


def check_protocol(library: Library, protocol: str, overrides: dict[str, Any]) -> None:
    """Look whether a protocol that a result claims to have kept to exists.

    Raises:
        UserError: it does not, or it has no such fields.
    """
    from scribblebench.training.external import PROTOCOL

    if protocol != PROTOCOL:
        library.protocol(protocol, overrides)
    elif overrides:
        raise UserError("--set replaces fields of a protocol: name the one you kept to with --protocol.")
