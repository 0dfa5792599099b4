"""Synthesised strokes: how fast they are made, and how like a person's they are.

    python benchmarks/synthesise.py --data-dir VOC2012 --count 300
    python benchmarks/synthesise.py --data-dir VOC2012 --human HUMAN --figure docs/figures/synthesised.png

The first line of output has processor seconds per mask, how many times faster that is than the published
generator (Scribbles4All: 0.539 s a mask), pixels drawn outside their class, components of at least 60 pixels,
how many of them have a stroke, and how many have no room for the pen. ``--human`` is a folder in VOC layout
with human label PNGs and masks, whose masks are synthesised from too; the human background clicks come from
``--data-dir``.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from scribblebench.core.library import Library
from scribblebench.report.figures.style import COLOURS, STYLE
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.polyline import arc_lengths
from scribblebench.scribbles.stroke import Annotation, Points, Stroke
from scribblebench.scribbles.synthesise import synthesise
from scribblebench.sources.folder import DatasetFolder, open_dataset

PUBLISHED = 0.539
SMALLEST = 60
SEEDS = 5
KINDS = ("background", "object")
Mask = NDArray[np.uint8]


@dataclass
class Likeness:
    """How strokes lie in their masks.

    Attributes:
        labelled: share of labelled pixels of each image, in percent.
        length: ``background`` or ``object`` -> each stroke's length over the root of its component's area.
        depth: the same -> distances from points along the strokes to the component's edge, as shares of the
            largest distance in it. The border of the image is no edge.
    """

    labelled: list[float] = field(default_factory=list)
    length: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    depth: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def add(self, strokes: Sequence[Stroke], mask: Mask) -> None:
        """Measure the strokes of one image."""
        height, width = mask.shape
        self.labelled.append(100 * float(np.mean(draw(Annotation("", width, height, tuple(strokes))) != 255)))
        for stroke, component in under(strokes, mask):
            kind = KINDS[stroke.class_index > 0]
            lengths = arc_lengths(stroke.points)
            if lengths[-1] > 0:
                self.length[kind].append(float(lengths[-1]) / float(np.sqrt(np.count_nonzero(component))))
            self.depth[kind] += depths(along(stroke.points), component)


def under(strokes: Sequence[Stroke], mask: Mask) -> Iterator[tuple[Stroke, NDArray[np.bool_]]]:
    """Yield each stroke with the component under most of its points; strokes off their class are left out."""
    for stroke in strokes:
        labels, _ = ndimage.label(mask == stroke.class_index, np.ones((3, 3)))
        x, y = pixels(along(stroke.points), mask)
        counts = np.bincount(labels[y, x])
        counts[0] = 0
        if counts.any():
            yield stroke, labels == np.argmax(counts)


def along(points: Points) -> Points:
    """Points every two pixels along a stroke."""
    lengths = arc_lengths(points)
    at = np.arange(0.0, lengths[-1] + 1e-9, 2.0)
    return np.stack([np.interp(at, lengths, points[:, axis]) for axis in (0, 1)], axis=1)


def pixels(points: Points, mask: Mask | NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the x and y of the pixels under points, those outside the image left out."""
    x, y = np.rint(points).astype(np.int64).T
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    return x[inside], y[inside]


def depths(points: Points, component: NDArray[np.bool_]) -> list[float]:
    """Distances of points to a component's edge over the largest in it; 0 outside it."""
    if component.all():
        return []
    distance = ndimage.distance_transform_edt(component)
    x, y = pixels(points, component)
    shares: list[float] = (distance[y, x] / distance.max()).tolist()
    return shares


def of_clicks(source: DatasetFolder, ids: Sequence[str]) -> list[float]:
    """Depths of the human background clicks."""
    found: list[float] = []
    for image in ids:
        mask = source.mask(image)
        clicks = [s for s in source.annotation(image).strokes if s.class_index == 0]
        for stroke, component in under(clicks, mask):
            found += depths(stroke.points, component)
    return found


def count_components(mask: Mask, strokes: Sequence[Stroke]) -> Counter[str]:
    """Count the components of at least 60 pixels, those with a stroke, and those without a 3 x 3 block."""
    counts: Counter[str] = Counter()
    for value in set(np.unique(mask).tolist()) - {255}:
        labels, _ = ndimage.label(mask == value, np.ones((3, 3)))
        large = set(np.flatnonzero(np.bincount(labels.ravel())[1:] >= SMALLEST) + 1)
        starts = [s.points[0].astype(np.int64) for s in strokes if s.class_index == value]
        roomy = ndimage.binary_erosion(labels > 0, np.ones((3, 3), bool), border_value=True)
        counts["components"] += len(large)
        counts["with_a_stroke"] += len(large & {labels[y, x] for x, y in starts})
        counts["without_room"] += len(large - set(labels[roomy]))
    return counts


def make(source: DatasetFolder, ids: Sequence[str]) -> Likeness:
    """Synthesise the strokes of some images, time it, check them, and print the result."""
    likeness, seconds, outside = Likeness(), 0.0, 0
    counts: Counter[str] = Counter()
    for image in ids:
        mask = source.mask(image)
        start = time.process_time()
        strokes = synthesise(mask, image, seed=0)
        seconds += time.process_time() - start
        label = draw(Annotation(image, mask.shape[1], mask.shape[0], strokes))
        outside += int(np.count_nonzero((label != 255) & (label != mask)))
        counts += count_components(mask, strokes)
        likeness.add(strokes, mask)
    each = seconds / len(ids)
    found = " ".join(f"{name}={counts[name]}" for name in ("components", "with_a_stroke", "without_room"))
    print(f"seconds_per_mask={each:.4f} times_faster={PUBLISHED / each:.1f} pixels_outside={outside} {found}")
    return likeness


def report(name: str, likeness: Likeness) -> None:
    """Print medians, and the middle half in brackets."""
    rows = {"labelled share, %": likeness.labelled}
    for kind in KINDS:
        rows[f"length over root of area, {kind}"] = likeness.length[kind]
        rows[f"depth, {kind}"] = likeness.depth[kind]
    for title, values in rows.items():
        low, median, high = np.percentile(values, (25, 50, 75))
        print(f"{name:12} {title:38} {median:6.2f} [{low:.2f} to {high:.2f}], {len(values):,} values")


def draw_figure(ours: Likeness, human: Likeness, same_masks: Likeness, clicks: Sequence[float]) -> Figure:
    """Compare the three sources of strokes."""
    both = (("synthesised", same_masks, COLOURS[1], 0.09), ("human", human, COLOURS[2], 0.03))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 6.4))
        panels = figure.subplots(2, 2).ravel().tolist()
        share, length, background, objects = panels
        histogram(share, ours.labelled, 0, 6, COLOURS[0], "synthesised, many masks")
        for who, likeness, colour, height in both:
            ticks(share, likeness.labelled, colour, f"{who}, two masks", height)
            ticks(length, likeness.length["object"], colour, f"{who}, two masks", height)
        share.set_title("labelled pixels of an image, %")
        histogram(length, ours.length["object"], 0, 5, COLOURS[0], "synthesised, many masks")
        length.set_title("objects: stroke length over the root of the component's area")
        histogram(background, ours.depth["background"], 0, 1, COLOURS[0], "synthesised, many masks")
        histogram(background, clicks, 0, 1, COLOURS[2], f"human, {len(clicks):,} clicks on the same")
        background.set_title("background: depth (0 at the edge, 1 innermost)")
        histogram(objects, same_masks.depth["object"], 0, 1, COLOURS[1], "synthesised, two masks")
        histogram(objects, human.depth["object"], 0, 1, COLOURS[2], "human, two masks")
        objects.set_title("objects: depth")
        for axes in panels:
            axes.legend(fontsize=7.5, loc="upper right")
            axes.set_yticks([])
            axes.set_ylabel("density")
    return figure


def histogram(axes: Axes, values: Sequence[float], low: float, high: float, colour: str, label: str) -> None:
    """Draw a density as a filled outline."""
    edges, face = np.linspace(low, high, 31).tolist(), (*mpl.colors.to_rgb(colour), 0.15)
    axes.hist(values, bins=edges, density=True, histtype="stepfilled", facecolor=face, edgecolor=colour,
              linewidth=1.5, label=label)  # fmt: skip


def ticks(axes: Axes, values: Sequence[float], colour: str, label: str, height: float) -> None:
    """Draw a few values as markers above the axis."""
    axes.plot(values, [height] * len(values), "o", color=colour, markersize=5, alpha=0.8, label=label,
              transform=axes.get_xaxis_transform(), markeredgewidth=0)  # fmt: skip


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="VOC layout, with clicks for the figure")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--human", type=Path, help="VOC layout, with human label PNGs and masks")
    parser.add_argument("--figure", type=Path, help="PNG to write; needs --human")
    options = parser.parse_args()
    card = Library().dataset("voc2012")
    source = open_dataset(card, options.data_dir)
    ids = source.ids("train")
    ids = ids[:: max(1, len(ids) // options.count)][: options.count]
    ours = make(source, ids)
    report("synthesised", ours)
    if options.human is None:
        return
    human, same_masks = Likeness(), Likeness()
    sample = open_dataset(card, options.human, "png")
    for image in sample.reader.ids(card, sample.root):
        mask = sample.mask(image)
        human.add(sample.annotation(image).strokes, mask)
        for seed in range(SEEDS):
            same_masks.add(synthesise(mask, image, seed), mask)
    report("human", human)
    report("same masks", same_masks)
    clicks = of_clicks(open_dataset(card, options.data_dir, "clicks"), ids)
    print(f"{'clicks':12} {'depth, background':38} {np.median(clicks):6.2f}, {len(clicks):,} values")
    if options.figure:
        figure = draw_figure(ours, human, same_masks, clicks)
        figure.savefig(options.figure, dpi=160, metadata={"Software": None})


if __name__ == "__main__":
    main()
