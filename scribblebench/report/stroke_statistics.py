"""What strokes are like, in numbers and as a page of histograms."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from scribblebench.report.figures.style import COLOURS, QUIET, STYLE
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.polyline import arc_lengths
from scribblebench.scribbles.stroke import Annotation

_A4_SIDEWAYS = (11.0, 7.6)
_DPI = 300
_BINS = 30
_BAR = COLOURS[1]


@dataclass
class StrokeStatistics:
    """Measurements, one number per stroke or per image.

    Attributes:
        points: points of each stroke.
        lengths: arc length of each stroke, in pixels; 0 for a single point.
        classes: class of each stroke.
        strokes: strokes of each image.
        labelled: share of labelled pixels of each image, in percent.
    """

    points: list[int] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    strokes: list[int] = field(default_factory=list)
    labelled: list[float] = field(default_factory=list)

    def add(self, annotation: Annotation, pen: Pen | None = None, ignore_index: int = 255) -> None:
        """Measure the strokes of one image."""
        label = draw(annotation, pen or Pen(), ignore_index)
        self.points += [len(stroke.points) for stroke in annotation.strokes]
        self.lengths += [float(arc_lengths(stroke.points)[-1]) for stroke in annotation.strokes]
        self.classes += [stroke.class_index for stroke in annotation.strokes]
        self.strokes.append(len(annotation.strokes))
        self.labelled.append(100 * float(np.mean(label != ignore_index)))

    def join(self, other: StrokeStatistics) -> None:
        """Append the measurements of other images."""
        for one in fields(self):
            getattr(self, one.name).extend(getattr(other, one.name))

    def summary(self) -> dict[str, tuple[float, float, float]]:
        """Return the 5th, 50th and 95th percentile of every measurement."""
        return {
            title: quantiles(getattr(self, name)) for name, title in _TITLES.items() if getattr(self, name)
        }


_TITLES = {
    "strokes": "strokes per image",
    "points": "points per stroke",
    "lengths": "length of a stroke, pixels",
    "labelled": "labelled pixels, %",
}
_COUNTED = {"strokes": "images", "points": "strokes", "lengths": "strokes", "labelled": "images"}


def measure(annotations: Iterable[Annotation], pen: Pen | None = None) -> StrokeStatistics:
    """Measure the strokes of many images.

    >>> from scribblebench.scribbles.stroke import Stroke
    >>> line = Stroke(1, np.array([[2.0, 5.0], [8.0, 5.0]]))
    >>> measure([Annotation("a", 10, 10, (line,))], Pen(joints="flat"))
    StrokeStatistics(points=[2], lengths=[6.0], classes=[1], strokes=[1], labelled=[21.0])
    """
    statistics = StrokeStatistics()
    for annotation in annotations:
        statistics.add(annotation, pen)
    return statistics


def quantiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the 5th, 50th and 95th percentile."""
    low, median, high = np.percentile(values, (5, 50, 95)).tolist()
    return low, median, high


def statistics_page(statistics: StrokeStatistics, classes: Sequence[str], title: str) -> bytes:
    """Draw a page of histograms.

    Args:
        statistics: of at least one image.
        classes: names by class index.
        title: says what was measured.

    Returns:
        The bytes of a PNG, A4 on its side at 300 dots an inch.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=_A4_SIDEWAYS)
        axes = figure.subplot_mosaic([["strokes", "points", "classes"], ["lengths", "labelled", "classes"]])
        for name, label in _TITLES.items():
            _histogram(axes[name], getattr(statistics, name), label)
            axes[name].set_ylabel(_COUNTED[name])
        _class_bars(axes["classes"], statistics.classes, classes)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _histogram(axes: Axes, values: Sequence[float], title: str) -> None:
    axes.set_title(title)
    axes.grid(axis="x", visible=False)
    if not values:
        axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes, color=QUIET)
        return
    edges = _bins(values)
    axes.xaxis.set_major_locator(MaxNLocator(integer=bool(np.array_equal(values, np.rint(values)))))
    # The few beyond the last edge are counted in the last bar.
    axes.hist(
        np.minimum(values, edges[-1]), bins=edges.tolist(), color=_BAR, edgecolor="white", linewidth=0.4
    )
    median = float(np.median(values))
    axes.axvline(median, color=COLOURS[2], linewidth=1.4)
    axes.set_title(f"median {median:.3g}", loc="right", fontsize=8, color=COLOURS[2])


def _bins(values: Sequence[float]) -> NDArray[np.float64]:
    """Edges up to the 99.5th percentile; of few whole numbers, one bin each."""
    top = float(np.percentile(values, 99.5))
    if all(value == int(value) for value in values) and top <= _BINS:
        return np.arange(min(values) - 0.5, top + 1.0)
    return np.linspace(0, top or 1, _BINS + 1)


def _class_bars(axes: Axes, drawn: Sequence[int], classes: Sequence[str]) -> None:
    counts = np.bincount(np.asarray(drawn, dtype=np.int64), minlength=len(classes))
    places = np.arange(len(classes))
    axes.barh(places, counts, color=_BAR)
    for place, count in zip(places, counts.tolist(), strict=True):
        axes.annotate(
            f"{count:,}", (count, place), (3, 0), textcoords="offset points", va="center", fontsize=7
        )
    axes.set_yticks(places, classes)
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.margins(x=0.15)
    axes.grid(axis="y", visible=False)
    axes.set_title("strokes per class")
