"""mIoU against what people need to annotate an image, and how far it falls when labels get worse."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scribblebench.report import published
from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.figures.looks import look
from scribblebench.report.figures.style import QUIET, legend, legend_height, render
from scribblebench.report.tables.annotation import kinds, lowest

# Methods of one kind stand side by side in this share of the room that a kind has.
_ROOM = 0.6


def annotation(estimates: Estimates) -> dict[str, bytes] | None:
    """Draw the group, or return None where all its methods see the same kind of supervision.

    Kinds stand in the order of their seconds, evenly: to scale, strokes and boxes would lie upon one another.
    Each method has its interval on undegraded data and, where it was degraded, a thin line down to its lowest
    mean.
    """
    found = kinds(estimates)
    if len(found) < 2:
        return None
    costs = published.annotation()

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for middle, methods in enumerate(found.values()):
            for place, method in enumerate(methods):
                at = middle + _ROOM * ((place + 0.5) / len(methods) - 0.5)
                _point(axes, estimates, method, at)
        axes.set_title("mIoU, %")
        names = [f"{kind}\n{costs[kind].seconds_per_image:g} s" for kind in found]
        axes.set_xticks(range(len(found)), names)
        axes.set_xlim(-0.5, len(found) - 0.5)
        axes.set_xlabel("seconds that people need for an image of VOC, as published (not to scale)")
        legend(figure, axes)

    titles = [estimates.group.methods[method] for methods in found.values() for method in methods]
    return render(draw, 3.5 + legend_height(titles))


def _point(axes: Axes, estimates: Estimates, method: str, at: float) -> None:
    miou = estimates.miou(method, NONE)
    if miou is None:
        return
    below = [[100 * (miou.value - miou.low)], [100 * (miou.high - miou.value)]]
    worst, drawn = lowest(estimates, method), look(method)
    if worst is not None:
        axes.plot([at] * 2, [100 * worst[1], 100 * miou.value], color=drawn.colour, linewidth=1, alpha=0.5)
        axes.plot([at], [100 * worst[1]], color=QUIET, marker="_", linestyle="")
    label = estimates.group.methods[method]
    axes.errorbar(
        [at], [100 * miou.value], below, color=drawn.colour, marker=drawn.marker, linestyle="", label=label
    )
