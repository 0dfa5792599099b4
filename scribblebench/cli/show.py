"""``show``: a contact sheet of strokes over their photographs, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._choices import rates
from scribblebench.cli._options import Names
from scribblebench.scribbles.degradations import DEGRADATIONS

if TYPE_CHECKING:
    from scribblebench.report.contact_sheet import Panel, Row
    from scribblebench.sources.folder import DatasetFolder
    from scribblebench.sources.spec import VariantSpec

_SHOWN = {"drop": (0.1, 0.3, 0.5), "shrink": (0.2, 0.5, 1.0)}


def _degradations(command: Any) -> Any:
    for name in reversed(DEGRADATIONS.names()):
        text = f"Rates of {name} to show, each in a column."
        command = click.option(f"--{name}", metavar="R[,R...]", callback=rates, help=text)(command)
    return command


@click.command("show")
@click.option("--dataset", default="toy", show_default=True, help="Name of a dataset card.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the dataset, in VOC layout.")
@click.option(
    "--cards", type=click.Path(path_type=Path), multiple=True, help="Folder with cards of your own."
)
@click.option("--split", default="train", show_default=True, help="Which images.")
@click.option("--images", type=Names(), help="The images' ids, with commas between them.")
@click.option(
    "--count",
    type=click.IntRange(1, 40),
    default=2,
    show_default=True,
    help="How many images, drawn at random by --seed, where --images is not given; two fill an A4 page.",
)
@_degradations
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Names every draw.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("strokes.png"), show_default=True,
    help="The PNG, as wide as an A4 page at 300 dots an inch.",
)  # fmt: skip
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
    from scribblebench.core.files import write_atomic
    from scribblebench.core.library import Library
    from scribblebench.report.contact_sheet import contact_sheet
    from scribblebench.sources.folder import open_dataset

    source = open_dataset(Library(*cards).dataset(dataset), data_dir)
    columns = {kind: values for kind, values in shown.items() if values} or _SHOWN
    rows = [
        _row(source, image, kind, values, seed)
        for image in _choose(source.ids(split), images, count, seed)
        for kind, values in columns.items()
    ]
    write_atomic(out, contact_sheet(rows, source.card.classes))
    click.echo(str(out))


def _choose(ids: list[str], images: tuple[str, ...] | None, count: int, seed: int) -> list[str]:
    """Return the images asked for, or some at random that do not depend on which others there are."""
    from scribblebench.core.errors import UserError
    from scribblebench.core.seeds import uniform

    if images is None:
        return sorted(sorted(ids, key=lambda image: uniform("show", seed, image))[:count])
    if unknown := [image for image in images if image not in ids]:
        raise UserError(f"--images {unknown[0]}: no such image in the split. Give ids of its list.")
    return list(images)


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
