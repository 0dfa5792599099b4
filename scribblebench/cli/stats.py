"""``stats``: what a dataset's strokes are like, in numbers and as a page of histograms."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._choices import strokes_option
from scribblebench.cli._options import (
    cards_option,
    data_dir_option,
    dataset_option,
    file,
    split_option,
)

if TYPE_CHECKING:
    from scribblebench.report.stroke_statistics import StrokeStatistics
    from scribblebench.sources.folder import DatasetFolder

# Images that a process is handed at a time.
_CHUNK = 128


@click.command("stats")
@dataset_option
@data_dir_option
@cards_option
@split_option
@strokes_option
@click.option(
    "--out",
    type=file,
    default=Path("stroke-statistics.png"),
    show_default=True,
    help="The PNG, an A4 page on its side at 300 dots an inch.",
)
def command(
    dataset: str,
    data_dir: Path | None,
    cards: tuple[Path, ...],
    split: str,
    strokes: str | None,
    out: Path,
) -> None:
    """Measure strokes: how many, how long, of how many points, how much they label, of which classes.

    \b
    scribblebench stats
    scribblebench stats --dataset voc2012 --data-dir VOC2012 --from xml
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._images import warn_of_splits
    from scribblebench.cli._progress import progress
    from scribblebench.core.files import write_atomic
    from scribblebench.core.library import Library
    from scribblebench.report.stroke_statistics import StrokeStatistics, statistics_page
    from scribblebench.sources.folder import open_dataset
    from scribblebench.sources.workers import default_workers, in_order

    source = open_dataset(Library(*cards).dataset(dataset), data_dir, strokes)
    warn_of_splits(source)
    ids, statistics = source.ids(split), StrokeStatistics()
    with progress("stats") as report:
        measured = in_order(partial(_of_image, source), ids, default_workers(), _CHUNK)
        for done, of_image in enumerate(measured, start=1):
            statistics.join(of_image)
            report(done, len(ids))
    counted = f"{len(statistics.classes):,} strokes ({source.strokes}) on {len(ids):,} {split} images"
    title = f"{source.card.title}: {counted}"
    write_atomic(out, statistics_page(statistics, source.card.classes, title))
    click.echo(f"{title}\n{'':34}{'5 %':>9}{'median':>9}{'95 %':>9}")
    for name, values in statistics.summary().items():
        click.echo(f"{name:34}" + "".join(f"{value:9.4g}" for value in values))
    click.echo(str(out))


def _of_image(source: DatasetFolder, image: str) -> StrokeStatistics:
    from scribblebench.report.stroke_statistics import StrokeStatistics

    statistics = StrokeStatistics()
    statistics.add(source.annotation(image), ignore_index=source.card.ignore_index)
    return statistics
