"""One look for all figures, and the bytes of a figure as PNG and SVG."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

INK = "#222222"
QUIET = "#8a8a8a"
# Grey, and colours told apart under protanopia, deuteranopia and tritanopia, at 3 : 1 or more on white.
COLOURS = ("#757575", "#0068b0", "#d95f02", "#12a06f", "#cf6fb0", "#3097e0", "#5e3200", "#3f0f8a")
WIDTH = 9.0
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # titles are people's words; a figure that writes a formula says so
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.08,
    "svg.fonttype": "path",  # text as outlines: the same on machines without the font
    "svg.hashsalt": "scribblebench",  # equal figures give equal bytes
}


def render(draw: Callable[[Figure], None], height: float) -> dict[str, bytes]:
    """Draw a figure in the common style.

    Args:
        draw: draws on an empty figure.
        height: in inches; all figures are equally wide.

    Returns:
        ``png`` and ``svg`` -> the file's bytes.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), dpi=160)
        pixels, outlines = FigureCanvasAgg(figure), FigureCanvasSVG(figure)
        draw(figure)
        # Figure.savefig would lay out and draw once more for each file.
        figure.set_canvas(pixels)
        _lay_out(figure)
        png, svg = io.BytesIO(), io.StringIO()
        # matplotlib leaves both untyped
        pixels.print_png(png, metadata={"Software": None})  # type: ignore[no-untyped-call]
        outlines.print_svg(svg, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return {"png": png.getvalue(), "svg": svg.getvalue().encode()}


def _lay_out(figure: Figure) -> None:
    """Lay a figure out once, for both files: that takes longer than to draw it."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.execute(figure)
        figure.set_layout_engine("none")


def legend(figure: Figure, axes: Axes) -> None:
    """Put one legend below all panels, as many columns as its labels leave room for."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(labels))


def legend_height(labels: Sequence[str]) -> float:
    """Return how many inches a legend of these labels takes."""
    return 0.19 * math.ceil(len(labels) / legend_columns(labels)) if labels else 0.0


def legend_columns(labels: Sequence[str]) -> int:
    """Return how many of these labels a line of a legend holds."""
    inches = [0.7 + 0.075 * len(label) for label in labels]
    return len(labels) if sum(inches) <= WIDTH else max(1, int(WIDTH / max(inches)))
