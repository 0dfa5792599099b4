"""``scribblebench panels``: Figures 4, 6, 7 and 8 of the RW-SS paper, from records and kept predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._options import Names, folder, images_option, runs_option

if TYPE_CHECKING:
    from scribblebench.report.collect import Group
    from scribblebench.sources.folder import DatasetFolder

    Figures = Iterator[tuple[str, dict[str, bytes]]]


@click.command("panels")
@runs_option
@click.option("--dataset", help="Only records of this dataset.")
@click.option("--protocol", help="Only records of this protocol.")
@click.option("--data-dir", type=folder, help="The dataset's folder; the toy's is found by itself.")
@click.option("--methods", type=Names(), help="Shown at every rate. Default: the baseline and the last one.")
@images_option
@click.option(
    "--count", type=click.IntRange(1, 6), default=1, show_default=True, help="Training images of Figure 4."
)
@click.option(
    "--out", type=folder, default=Path("results/report/figures"), show_default=True, help="Where they go."
)
def command(
    runs: Path,
    dataset: str | None,
    protocol: str | None,
    data_dir: Path | None,
    methods: tuple[str, ...] | None,
    images: tuple[str, ...] | None,
    count: int,
    out: Path,
) -> None:
    """Draw Figures 4, 6, 7 and 8 of the RW-SS paper from records and kept predictions.

    figure4_KIND: strokes at every rate of a degradation, with the scores of the methods trained on them.
    figure6: methods beside each other. figure7 (drop) and figure8 (shrink): predictions at every rate.

    Images of Figures 6 to 8 are chosen by a rule: highest, median and lowest gain over the baseline.
    They need the predictions that 'run --keep-predictions' keeps; cells that are done already are
    evaluated again, not trained again.

    \b
    scribblebench run --grid shrink --keep-predictions
    scribblebench panels
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli.figures import write
    from scribblebench.core.library import Library
    from scribblebench.report.collect import file_safe, gather
    from scribblebench.sources.folder import open_dataset

    groups = gather([runs], dataset, protocol).records
    for group in groups:
        root = data_dir if group.dataset != "toy" else None
        source = open_dataset(Library().dataset(group.dataset), root)
        ending = f"_{file_safe(group.name)}" if len(groups) > 1 else ""
        drawn = [*_samples(group, source, images, count), *_predictions(group, source, runs, methods)]
        write({f"{name}{ending}": figure for name, figure in drawn}, out)


def _samples(group: Group, source: DatasetFolder, images: tuple[str, ...] | None, count: int) -> Figures:
    """Draw Figure 4 of each kind of degradation of strokes."""
    from scribblebench.cli._images import pick_images
    from scribblebench.report.qualitative import samples
    from scribblebench.scribbles.degradations import DEGRADATIONS

    ids = pick_images(source.ids("train"), images, count, "panels")
    for kind in group.kinds:
        if kind in DEGRADATIONS.names():
            yield f"figure4_{kind}", samples(group, kind, source, ids)


def _predictions(group: Group, source: DatasetFolder, runs: Path, methods: Sequence[str] | None) -> Figures:
    """Draw Figures 6, 7 and 8, and say what lacks predictions."""
    from scribblebench.core.errors import UnknownNameError
    from scribblebench.report.collect import NONE, file_safe
    from scribblebench.report.examples import kept
    from scribblebench.report.qualitative import NAMES, by_rate, side_by_side

    found = {kind: kept(group, kind, [runs]) for kind in (NONE.kind, *group.kinds)}
    for there, method in product(filter(None, found.values()), methods or ()):
        if method not in there.methods:
            raise UnknownNameError("method with kept predictions", method, there.methods)
    for kind, shown in found.items():
        if shown is None:
            click.echo(
                f"{group.name}: no predictions of '{kind}' at all rates in {runs}. Run its grid again with "
                "--keep-predictions; nothing is trained anew.",
                err=True,
            )
        elif kind == NONE.kind:
            yield "figure6", side_by_side(shown, source)
        else:
            first_and_last = dict.fromkeys((shown.methods[0], shown.methods[-1]))
            name = NAMES.get(kind, f"predictions_{file_safe(kind)}")
            yield name, by_rate(shown, source, methods or list(first_and_last))
