"""Pictures of results for the page: images chosen by a rule, and what methods made of them at each rate."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.overlay import overlay
from scribblebench.pictures.palette import voc_palette
from scribblebench.pictures.photographs import read_photograph
from scribblebench.report.collect import Cell, Group, Variant
from scribblebench.report.slider import Shot, panels
from scribblebench.report.standings import baseline
from scribblebench.sources.folder import DatasetFolder

PREDICTIONS = "predictions"
# Pixels of the longer side on the page, and methods shown: some ten kilobytes a picture.
_SIDE = 220
_MOST_METHODS = 6
_OPACITY = 0.6


@dataclass(frozen=True, eq=False)
class Shown:
    """The cells of one kind of degradation and seed whose predictions were kept.

    Attributes:
        group: where they are from.
        kind: of degradation; the undegraded variant belongs to each.
        kept: (method, variant) -> cell and the folder of its predictions.
    """

    group: Group
    kind: str
    kept: Mapping[tuple[str, Variant], tuple[Cell, Path]]

    @cached_property
    def variants(self) -> list[Variant]:
        """Variants with any prediction, in the order of the rates."""
        return [v for v in self.group.columns(self.kind) if any(v == seen for _, seen in self.kept)]

    @cached_property
    def methods(self) -> list[str]:
        """Methods with predictions at every one of these rates: the baseline first, and not too many."""
        whole = [m for m in self.group.on(self.kind) if all((m, v) in self.kept for v in self.variants)]
        first = baseline(whole)
        return sorted(whole, key=lambda method: method != first)[:_MOST_METHODS]

    def chosen(self) -> list[tuple[str, int]]:
        """Choose images at the highest rate: words and index.

        The best, the median and the worst of the mean over the other methods of their IoU less the
        baseline's; of the IoU itself where there is no other method.
        """
        last = self.variants[-1]
        scores = [image_scores(self.kept[method, last][0]) for method in self.methods]
        others = np.mean(scores[1:], axis=0) - scores[0] if len(scores) > 1 else scores[0]
        order = np.argsort(others, kind="stable")
        what = "IoU above the baseline's" if len(scores) > 1 else "IoU"
        places = {"Highest": -1, "Median": len(order) // 2, "Lowest": 0}
        return [
            (f"{word} {what}, {100 * others[order[at]]:+.1f} points", int(order[at]))
            for word, at in places.items()
        ]


def image_scores(cell: Cell) -> NDArray[np.float64]:
    """Mean IoU of each image over the classes that are in its truth or its prediction, (images,).

    Raises:
        ValueError: the cell is not done.
    """
    if cell.scored is None:
        raise ValueError(f"{cell.record.slug} has no scores")
    unions = cell.scored.unions
    each = cell.scored.intersections / np.maximum(unions, 1)
    found: NDArray[np.float64] = each.sum(axis=1) / np.maximum((unions > 0).sum(axis=1), 1)
    return found


def examples(group: Group, folders: Sequence[Path], source: DatasetFolder) -> list[tuple[str, Markup]]:
    """Draw panels for a group: heading and HTML of each kind of degradation that has kept predictions.

    Args:
        group: the cells.
        folders: of records; ``predictions`` in one holds what ``run --keep-predictions`` kept.
        source: the dataset, for photographs and masks.

    Raises:
        UserError: a picture is missing or cannot be read.
    """
    parts = []
    for kind in group.kinds:
        shown = kept(group, kind, folders)
        if shown is not None:
            drawn = [_panel(shown, title, index, source) for title, index in shown.chosen()]
            parts.append((f"Predictions, {kind}", Markup("").join([_legend(shown, source), *drawn])))
    return parts


def kept(group: Group, kind: str, folders: Sequence[Path]) -> Shown | None:
    """Find the lowest seed with predictions of most methods at every rate; None where nothing was kept."""
    seeds: dict[int, dict[tuple[str, Variant], tuple[Cell, Path]]] = {}
    for variant in group.columns(kind):
        for method in group.on(kind):
            for cell in group.at(method, variant):
                place = next((p for f in folders if (p := f / PREDICTIONS / cell.record.slug).is_dir()), None)
                if cell.done and place is not None:
                    seeds.setdefault(cell.record.seed, {})[method, variant] = (cell, place)
    found = [Shown(group, kind, seeds[seed]) for seed in sorted(seeds)]
    found = [shown for shown in found if shown.methods]
    return max(found, key=lambda shown: len(shown.kept), default=None)


def _panel(shown: Shown, title: str, index: int, source: DatasetFolder) -> Markup:
    cell, _ = shown.kept[shown.methods[0], shown.variants[0]]
    image = cell.ids[index]
    photograph, truth = read_photograph(source.image_path(image)), read_labels(source.mask_path(image))
    shots = [
        Shot(None, _uri(photograph), "Photograph"),
        Shot(None, _uri(overlay(photograph, truth, _OPACITY)), "Truth"),
    ]
    for variant in shown.variants:
        for method in shown.methods:
            cell, folder = shown.kept[method, variant]
            labels = read_labels(folder / f"{image}.png")
            score = 100 * image_scores(cell)[index]
            caption = f"{cell.title}: {score:.1f}"
            shots.append(Shot(variant.rate, _uri(overlay(photograph, labels, _OPACITY)), caption))
    return panels(f"{image}. {title}", shown.kind, shots)


def _legend(shown: Shown, source: DatasetFolder) -> Markup:
    """Name the classes in the colours of the overlays, and say how the images were chosen."""
    colours = voc_palette()
    names = Markup(" ").join(
        Markup('<span><i style="background:rgb({},{},{})"></i>{}</span>').format(
            *colours[index].tolist(), name
        )
        for index, name in enumerate(source.card.classes)
        if index
    )
    seed = next(iter(shown.kept.values()))[0].record.seed
    said = f"Validation images chosen at {shown.kind} {shown.variants[-1].rate:g}, seed {seed}, by a rule."
    return Markup(
        '<p class="small">{} Below each: mean IoU of its classes in %.</p><p class="legend">{}</p>'
    ).format(said, names)


def _uri(pixels: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
