"""mIoU and drop ratio against the rate of one degradation, with 95 % bands."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scribblebench.report import published
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.figures.looks import Look, look
from scribblebench.report.figures.style import QUIET, legend, legend_height, render
from scribblebench.report.intervals import Estimate


def curves(estimates: Estimates, kind: str) -> dict[str, bytes]:
    """Draw one kind of degradation; the paper's drop ratios are dotted beside ours."""
    rates = estimates.group.rates(kind)
    methods = [
        method
        for method in estimates.group.methods
        if any(estimates.seeds((method, Variant(kind, rate))) for rate in rates)
    ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for method in methods:
            _miou(left, estimates, method, kind)
            _drop_ratio(right, estimates, method, kind)
        for axes, title in ((left, "mIoU, %"), (right, "drop ratio (m\u2080 \u2212 m) / m\u2080, %")):
            axes.set_title(title)
            axes.set_xlabel(f"{kind} rate")
            axes.set_xticks([0.0, *rates])
        left.set_title(evidence(estimates, kind), loc="right", fontsize=8, color=QUIET)
        right.axhline(0, color=QUIET, linewidth=0.8, zorder=1)
        if any(_paper(method, kind) and estimates.rates(kind, method) for method in methods):
            left.plot([], [], color=QUIET, linestyle=":", linewidth=1.2, label="paper, VOC 2012, ResNet-50")
        legend(figure, left)

    return render(draw, 3.5 + legend_height([*(estimates.group.methods[m] for m in methods), "paper"]))


def evidence(estimates: Estimates, kind: str) -> str:
    """Say what the intervals of one kind rest on.

    With one seed they resample images alone.
    """
    group = estimates.group
    counts = {len(estimates.seeds((m, v))) for m in group.on(kind) for v in group.columns(kind)} - {0}
    if not counts:
        return "no result yet"
    least, most = min(counts), max(counts)
    seeds = f"{least} seed{'s' * (least > 1)}" if least == most else f"{least} to {most} seeds"
    return f"95 %: {seeds}, {estimates.images} images"


def _miou(axes: Axes, estimates: Estimates, method: str, kind: str) -> None:
    variants = [NONE, *(Variant(kind, rate) for rate in estimates.group.rates(kind))]
    points = [(v.rate, found) for v in variants if (found := estimates.miou(method, v)) is not None]
    _line(axes, points, look(method), estimates.group.methods[method])


def _drop_ratio(axes: Axes, estimates: Estimates, method: str, kind: str) -> None:
    variants = [Variant(kind, rate) for rate in estimates.group.rates(kind)]
    points = [(v.rate, found) for v in variants if (found := estimates.drop_ratio(method, v)) is not None]
    start = [(0.0, Estimate(0.0, error=0.0, freedom=1.0))] if points else []
    _line(axes, start + points, look(method), estimates.group.methods[method])
    paper = _paper(method, kind) if points else []
    axes.plot(
        [r for r, _ in paper], [y for _, y in paper], color=look(method).colour, linestyle=":", linewidth=1.2
    )


def _line(axes: Axes, points: Sequence[tuple[float, Estimate]], drawn: Look, label: str) -> None:
    if not points:
        return
    rates = [rate for rate, _ in points]
    low, value, high = ([100 * getattr(e, key) for _, e in points] for key in ("low", "value", "high"))
    axes.fill_between(rates, low, high, color=drawn.colour, alpha=0.14, linewidth=0)
    axes.plot(rates, value, color=drawn.colour, marker=drawn.marker, linestyle=drawn.line, label=label)


def _paper(method: str, kind: str) -> list[tuple[float, float]]:
    points = [(r, 100 * ratio) for (m, k, r), ratio in published.table4().items() if (m, k) == (method, kind)]
    return [(0.0, 0.0), *points] if points else []
