"""Paired differences from the baseline with 95 % intervals: a panel a rate, a row a method."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.figures.looks import look
from scribblebench.report.figures.style import INK, QUIET, render
from scribblebench.report.standings import Standing, baseline, standings

_LABEL_WIDTH = 30


def differences(estimates: Estimates, kind: str, methods: Sequence[str]) -> dict[str, bytes] | None:
    """Draw one kind of degradation; where the interval leaves 0 out, the point is filled.

    None where nothing can be compared with the baseline.
    """
    reference = baseline(methods)
    variants = estimates.group.columns(kind)
    rows = {variant: _others(standings(estimates, variant, methods), reference) for variant in variants}
    shown = [variant for variant in variants if any(row.gain for row in rows[variant])]
    if not shown:
        return None
    compared = [row.method for row in rows[shown[0]]]
    titles = estimates.group.methods

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
        for axes, variant in zip(panels, shown, strict=True):
            _panel(axes, rows[variant])
            axes.set_title("none" if variant == NONE else str(variant))
        panels[0].set_yticks(range(len(compared)), [textwrap.fill(titles[m], _LABEL_WIDTH) for m in compared])
        panels[0].set_ylim(len(compared) - 0.4, -0.6)
        figure.supxlabel(f"mIoU above {titles[reference]}, points; 95 % intervals", fontsize=9)

    return render(draw, 1.1 + 0.34 * len(compared))


def _others(rows: Sequence[Standing], reference: str) -> list[Standing]:
    return [row for row in rows if row.method != reference]


def _panel(axes: Axes, rows: Sequence[Standing]) -> None:
    axes.axvline(0, color=QUIET, linewidth=1.0, zorder=1)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for place, row in enumerate(rows):
        if row.gain is None:
            axes.text(0, place, " not measured", fontsize=7, color=QUIET, va="center")
            continue
        low, value, high = (100 * x for x in (row.gain.low, row.gain.value, row.gain.high))
        style = look(row.method)
        axes.plot([low, high], [place, place], color=style.colour, linewidth=1.6)
        apart = low > 0 or high < 0
        axes.plot(
            value,
            place,
            marker=style.marker,
            color=style.colour,
            markerfacecolor=style.colour if apart else "#fff",
        )
    axes.tick_params(axis="y", colors=INK)
