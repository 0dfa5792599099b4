"""mIoU against what people need to annotate an image, and how far it falls when labels get worse."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from scribblebench.report import published
from scribblebench.report.collect import NONE
from scribblebench.report.estimates import Estimates
from scribblebench.report.figures.style import QUIET, Look, legend, looks, render
from scribblebench.report.tables.annotation import kinds, lowest

# Methods of one kind stand side by side: this share of the seconds lies between two.
_APART = 0.035


def annotation(estimates: Estimates) -> dict[str, bytes] | None:
    """Draw the group, or return None where all its methods see the same kind of supervision.

    Each method has its interval on undegraded data and, where it was degraded, a thin line down to its lowest
    mean.
    """
    found = kinds(estimates)
    if len(found) < 2:
        return None
    costs = published.annotation()

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        of_methods = looks([method for methods in found.values() for method in methods])
        for kind, methods in found.items():
            for place, method in enumerate(methods):
                shift = 1 + _APART * (place - (len(methods) - 1) / 2)
                _point(axes, estimates, method, costs[kind].seconds_per_image * shift, of_methods[method])
        axes.set_title("mIoU, %")
        axes.set_xscale("log")
        seconds = {costs[kind].seconds_per_image: kind for kind in found}
        axes.set_xticks(list(seconds), [f"{name}\n{cost:g}" for cost, name in seconds.items()])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("seconds an image of VOC (published; logarithmic)")
        legend(figure, axes)

    return render(draw, 4.6)


def _point(axes: Axes, estimates: Estimates, method: str, seconds: float, look: Look) -> None:
    miou = estimates.miou(method, NONE)
    if miou is None:
        return
    below = [[100 * (miou.value - miou.low)], [100 * (miou.high - miou.value)]]
    worst = lowest(estimates, method)
    if worst is not None:
        axes.plot(
            [seconds] * 2, [100 * worst[1], 100 * miou.value], color=look.colour, linewidth=1, alpha=0.5
        )
        axes.plot([seconds], [100 * worst[1]], color=QUIET, marker="_", linestyle="")
    label = estimates.group.methods[method]
    axes.errorbar(
        [seconds], [100 * miou.value], below, color=look.colour, marker=look.marker, linestyle="", label=label
    )
