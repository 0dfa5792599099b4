"""Training curves: the total loss of every cell, and what the losses logged on undegraded scribbles."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scribblebench.report.collect import NONE, Group, Variant
from scribblebench.report.figures.looks import look
from scribblebench.report.figures.style import INK, legend, legend_height, render

_NOT_LOGGED = {"epoch", "rate", "loss"}
_ACROSS = 3
# Characters that fit above a panel.
_TITLE_WIDTH = 36
# Inches at the left of a panel, above it and below it.
_MARGINS = (0.6, 0.45, 0.5)
_MAPS = ("YlGnBu", "YlOrRd", "PuRd", "Greens")
Curve = Sequence[Mapping[str, float | None]]


def losses(group: Group) -> dict[str, bytes] | None:
    """Draw the total loss against the epoch: a panel a method, a colour a variant, a line a seed.

    None where no cell has a curve: all failed, or all predictions are of other programs.
    """
    trained = {cell.method for cell in group.cells if cell.record.curve}
    methods = {method: title for method, title in group.methods.items() if method in trained}
    if not methods:
        return None
    colours = _variant_colours(group)
    below = 0.2 + legend_height([str(variant) for variant in colours])

    def draw(figure: Figure) -> None:
        panels = _panels(figure, len(methods), below, sharey=True)
        for axes in panels[::_ACROSS]:
            axes.set_ylabel("training loss")
        for axes, (method, title) in zip(panels, methods.items(), strict=True):
            axes.set_title(textwrap.fill(title, _TITLE_WIDTH))
            for variant, colour in colours.items():
                for cell in group.at(method, variant):
                    _line(axes, cell.record.curve, "loss", colour)
        for variant, colour in colours.items():
            panels[0].plot([], [], color=colour, label=str(variant))
        legend(figure, panels[0])

    return render(draw, _height(len(methods), below))


def logged(group: Group) -> dict[str, bytes] | None:
    """Draw every other logged number on undegraded scribbles: a panel a number, a colour a method.

    None where nothing was logged.
    """
    cells = [cell for cell in group.cells if cell.variant == NONE and cell.record.curve]
    keys = sorted({key for cell in cells for epoch in cell.record.curve for key in epoch} - _NOT_LOGGED)
    if not keys:
        return None
    methods = list(dict.fromkeys(cell.method for cell in cells))
    below = 0.2 + legend_height([group.methods[method] for method in methods])

    def draw(figure: Figure) -> None:
        panels = _panels(figure, len(keys), below, sharey=False)
        for axes, key in zip(panels, keys, strict=True):
            axes.set_title(key.replace("_", " "))
            for cell in cells:
                drawn = look(cell.method)
                _line(axes, cell.record.curve, key, drawn.colour, drawn.line)
        for method in methods:
            drawn = look(method)
            panels[0].plot([], [], color=drawn.colour, linestyle=drawn.line, label=group.methods[method])
        legend(figure, panels[0])

    return render(draw, _height(len(keys), below))


def _panels(figure: Figure, count: int, below: float, sharey: bool) -> list[Axes]:
    """Return axes for so many panels, in rows of three, with ``below`` inches left for a legend.

    They are laid out by hand: to measure their texts takes longer than to draw them.
    """
    rows, across = math.ceil(count / _ACROSS), min(count, _ACROSS)
    figure.set_layout_engine("none")
    width, height = figure.get_size_inches()
    left, top, bottom = _MARGINS
    places = {
        "left": left / width,
        "right": 1 - 0.15 / width,
        "top": 1 - top / height,
        "bottom": (bottom + below) / height,
        "wspace": across * left / (width - 0.15 - across * left),
        "hspace": rows * (top + bottom) / (height - below - rows * (top + bottom)),
    }
    grid = figure.subplots(rows, across, sharey=sharey, squeeze=False, gridspec_kw=places)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    panels = list(grid.flat[:count])
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.ticklabel_format(axis="y", scilimits=(-3, 5))
    return panels


def _height(panels: int, below: float) -> float:
    return 2.6 * math.ceil(panels / _ACROSS) + below


def _line(axes: Axes, curve: Curve, key: str, colour: Any, dash: Any = "-") -> None:
    epochs, values = (
        [math.nan if (number := epoch.get(name)) is None else number for epoch in curve]
        for name in ("epoch", key)
    )
    if not all(math.isnan(value) for value in values):  # most losses log most numbers never
        axes.plot(epochs, values, color=colour, linestyle=dash, linewidth=1.2, alpha=0.85)


def _variant_colours(group: Group) -> dict[Variant, Any]:
    """Ink for undegraded scribbles, a colour map for each kind, darker for higher rates."""
    maps = {kind: colormaps[_MAPS[index % len(_MAPS)]] for index, kind in enumerate(group.kinds)}
    return {v: INK if v == NONE else maps[v.kind](0.35 + 0.55 * v.rate) for v in group.variants}
