"""``show``: a contact sheet of strokes over their photographs, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._options import (
    cards_option,
    data_dir_option,
    dataset_option,
    file,
    images_option,
    read_rates,
    seed_option,
    split_option,
)
from scribblebench.scribbles.degradations import DEGRADATIONS

if TYPE_CHECKING:
    from scribblebench.report.contact_sheet import Panel, Row
    from scribblebench.sources.folder import DatasetFolder
    from scribblebench.sources.spec import VariantSpec

_SHOWN = {"drop": (0.1, 0.3, 0.5), "shrink": (0.2, 0.5, 1.0)}


def _degradations(command: Any) -> Any:
    for name in reversed(DEGRADATIONS.names()):
        text = f"Rates of {name} to show, each in a column."
        command = click.option(f"--{name}", metavar="R[,R...]", callback=read_rates, help=text)(command)
    return command


@click.command("show")
@dataset_option
@data_dir_option
@cards_option
@split_option
@images_option
@click.option(
    "--count",
    type=click.IntRange(1, 40),
    default=2,
    show_default=True,
    help="How many images, drawn at random by --seed, where --images is not given; two fill an A4 page.",
)
@_degradations
@seed_option
@click.option(
    "--out",
    type=file,
    default=Path("strokes.png"),
    show_default=True,
    help="The PNG, as wide as an A4 page at 300 dots an inch.",
)
def command(
    dataset: str,
    data_dir: Path | None,
    cards: tuple[Path, ...],
    split: str,
    images: tuple[str, ...] | None,
    count: int,
    seed: int,
    out: Path,
    **shown: tuple[float, ...] | None,
) -> None:
    """Show strokes over their photographs, before and after, in one PNG fit to print.

    \b
    scribblebench show
    scribblebench show --dataset voc2012 --data-dir VOC2012 --images 2007_000032 --drop 0.1,0.3,0.5
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._images import pick_images, warn_of_splits
    from scribblebench.core.files import write_atomic
    from scribblebench.core.library import Library
    from scribblebench.report.contact_sheet import contact_sheet
    from scribblebench.sources.folder import open_dataset

    source = open_dataset(Library(*cards).dataset(dataset), data_dir)
    warn_of_splits(source)
    columns = {kind: values for kind, values in shown.items() if values} or _SHOWN
    rows = [
        _row(source, image, kind, values, seed)
        for image in pick_images(source.ids(split), images, count, "show", seed)
        for kind, values in columns.items()
    ]
    write_atomic(out, contact_sheet(rows, source.card.classes))
    click.echo(str(out))


def _row(source: DatasetFolder, image: str, kind: str, values: tuple[float, ...], seed: int) -> Row:
    from scribblebench.report.contact_sheet import Row
    from scribblebench.sources.spec import VariantSpec

    before = _panel(source, image, "before", VariantSpec())
    after = (
        _panel(source, image, f"{kind} {rate:g}", VariantSpec.of(kind, rate, seed))
        for rate in values
        if rate > 0
    )
    return Row(source.image_path(image), (before, *after))


def _panel(source: DatasetFolder, image: str, title: str, spec: VariantSpec) -> Panel:
    from scribblebench.report.contact_sheet import Panel
    from scribblebench.sources.job import Job

    made = Job(source, spec).derive(image)
    labelled = made.record.pixels / made.label.size
    return Panel(title, made.written, spec.drawn_with().width, labelled)
