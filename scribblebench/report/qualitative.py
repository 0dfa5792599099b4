"""What Figures 4, 6, 7 and 8 are drawn from: records, kept predictions, and the dataset's own files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.photographs import read_photograph
from scribblebench.report.collect import NONE, Group, Variant
from scribblebench.report.examples import Shown, image_scores
from scribblebench.report.figures.figure4 import Sample, figure4
from scribblebench.report.figures.panels import Key
from scribblebench.report.figures.predictions import Strip, predictions_figure
from scribblebench.report.figures.strokes import colour
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.job import Job
from scribblebench.sources.spec import VariantSpec

NAMES = {"drop": "figure7", "shrink": "figure8"}
"""The paper's number of the figure of a kind of degradation; others are named by their kind."""
# Methods and their lines of scores that a figure has room for.
_MOST_SCORES = 6


def samples(group: Group, kind: str, source: DatasetFolder, images: Sequence[str]) -> dict[str, bytes]:
    """Draw Figure 4 for a kind of degradation.

    Args:
        group: whose rates and scores are shown; the strokes are those of its lowest seed.
        kind: a degradation's name.
        source: the dataset.
        images: ids of its training images.

    Raises:
        UserError: an image's files are missing or wrong.
    """
    variants = group.columns(kind)
    seed = min(cell.record.variant_seed for cell in group.cells if cell.variant.kind == kind)
    specs = [VariantSpec() if v == NONE else VariantSpec.of(v.kind, v.rate, seed) for v in variants]
    drawn = [
        Sample(
            read_photograph(source.image_path(image)),
            [Job(source, spec).derive(image).written for spec in specs],
        )
        for image in images
    ]
    methods = list(group.on(kind).items())[:_MOST_SCORES]
    scores = {title: [_miou(group, method, variant) for variant in variants] for method, title in methods}
    seen = {s.class_index for sample in drawn for a in sample.annotations for s in a.strokes}
    caption = f"{_place(group)}: strokes, seed {seed}, and below the mIoU in % of training on such"
    pen = VariantSpec().drawn_with().width
    return figure4(drawn, [_column(v) for v in variants], scores, pen, caption, _key(source, seen))


def side_by_side(shown: Shown, source: DatasetFolder) -> dict[str, bytes]:
    """Draw Figure 6: methods beside each other, trained on undegraded strokes."""
    strips = [
        _strip(shown, source, index, image, [(method, NONE) for method in shown.methods])
        for index, image in _chosen(shown)
    ]
    titles = [shown.kept[method, NONE][0].title for method in shown.methods]
    return _draw(shown, source, strips, titles, "undegraded strokes")


def by_rate(shown: Shown, source: DatasetFolder, methods: Sequence[str]) -> dict[str, bytes]:
    """Draw Figure 7 or 8: the predictions of methods at every rate."""
    strips = [
        _strip(shown, source, index, title(shown, method), [(method, v) for v in shown.variants])
        for (index, _), method in product(_chosen(shown), methods)
    ]
    return _draw(shown, source, strips, [_column(v) for v in shown.variants], f"rates of {shown.kind}")


def title(shown: Shown, method: str) -> str:
    """Return the words for a method."""
    return shown.kept[method, shown.variants[0]][0].title


def _draw(
    shown: Shown, source: DatasetFolder, strips: Sequence[Strip], columns: Sequence[str], what: str
) -> dict[str, bytes]:
    seed = next(iter(shown.kept.values()))[0].record.seed
    caption = f"{_place(shown.group)}, seed {seed}: highest, median and lowest gain over the baseline"
    heading = f"{what}; mean IoU of the image's classes in %"
    ignore = source.card.ignore_index
    maps = [labels for strip in strips for labels in (strip.truth, *(seen for seen, _ in strip.predictions))]
    seen = {int(value) for labels in maps for value in np.unique(labels)} - {0, ignore}
    return predictions_figure(strips, heading, columns, caption, _key(source, seen), ignore)


def _chosen(shown: Shown) -> list[tuple[int, str]]:
    ids = shown.kept[shown.methods[0], shown.variants[0]][0].ids
    return [(index, ids[index]) for _, index in shown.chosen()]


def _strip(
    shown: Shown, source: DatasetFolder, index: int, name: str, columns: Iterable[tuple[str, Variant]]
) -> Strip:
    """Read an image and what was kept of it; ``name`` may be that of a method."""
    cells = [shown.kept[column] for column in columns]
    image = cells[0][0].ids[index]
    predictions: list[tuple[NDArray[np.uint8], float]] = [
        (read_labels(folder / f"{image}.png"), 100 * float(image_scores(cell)[index]))
        for cell, folder in cells
    ]
    photograph, truth = read_photograph(source.image_path(image)), read_labels(source.mask_path(image))
    return Strip(name, photograph, truth, predictions)


def _miou(group: Group, method: str, variant: Variant) -> float | None:
    values = [cell.record.miou for cell in group.at(method, variant) if cell.done]
    known = [value for value in values if value is not None]
    return 100 * sum(known) / len(known) if known else None


def _column(variant: Variant) -> str:
    return "undegraded" if variant == NONE else str(variant)


def _place(group: Group) -> str:
    return f"{group.dataset}, {group.protocol} protocol {group.settings}".strip()


def _key(source: DatasetFolder, classes: Iterable[int]) -> Key:
    return [(colour(index), source.card.classes[index]) for index in sorted(classes)]
