"""The hard eigenspace (Eq. 7): the space of the leading eigenvectors of P, of an image and of its flip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from scribblebench.report.figures.panels import Row, picture_rows
from scribblebench.report.figures.style import COLOURS, INK, QUIET

Numbers = NDArray[np.float32]
_MAPS, _DISTANCE = "magma", COLOURS[2]


@dataclass(frozen=True, eq=False)
class Compared:
    """The eigenspaces of one image and of its flip, the latter flipped back.

    Attributes:
        name: the image's id.
        photograph: uint8 (h, w, 3).
        size: how many eigenvectors span the spaces of the maps.
        rows: length of each cell's row of the projector of the image, of that of the flip, and of their
            difference, in [0, 1], a number a cell.
        values: leading eigenvalues of the image and of the flip.
        sines: mean squared sine between the spans of the first k eigenvectors, k from 1; NaN where undefined.
    """

    name: str
    photograph: NDArray[np.uint8]
    size: int
    rows: tuple[Numbers, Numbers, Numbers]
    values: tuple[Numbers, Numbers]
    sines: Numbers


def hard_eigenspace(images: Sequence[Compared], caption: str) -> dict[str, bytes]:
    """Draw one image a row; all maps share one scale."""
    size = images[0].size
    scale = Normalize(0, max(float(cells.max()) for image in images for cells in image.rows))
    groups = [
        ("", ["photograph"]),
        ("spectrum", ["against k"]),
        (
            f"rows of the projector \u03a0 onto the {size} leading eigenvectors of P",
            ["image, $\\|\\Pi_i\\|$", "flip, $\\|\\Pi'_i\\|$", "$\\|\\Pi_i - \\Pi'_i\\|$"],
        ),
    ]
    rows = [
        Row(image.name, image.photograph.shape[0] / image.photograph.shape[1], _drawing(image, scale, not i))
        for i, image in enumerate(images)
    ]

    def bar(axes: Axes) -> None:
        axes.figure.colorbar(ScalarMappable(scale, colormaps[_MAPS]), cax=axes)
        axes.tick_params(labelsize=7)

    said = f"{caption}: the hard eigenspace (Eq. 7) of an image and of its flip, flipped back"
    return picture_rows(rows, groups, said, scale=bar)


def _drawing(image: Compared, scale: Normalize, first: bool) -> Callable[[Sequence[Axes]], None]:
    def draw(panels: Sequence[Axes]) -> None:
        panels[0].imshow(image.photograph)
        _spectrum(panels[1], image, first)
        for panel, cells in zip(panels[2:], image.rows, strict=True):
            panel.imshow(cells, cmap=_MAPS, norm=scale)

    return draw


def _spectrum(panel: Axes, image: Compared, labelled: bool) -> None:
    """Draw eigenvalues and distance against the number of eigenvectors: all lie in [0, 1]."""
    axes = panel.inset_axes((0.09, 0.13, 0.88, 0.85))
    numbers = range(1, len(image.sines) + 1)
    for values, colour, of in zip(image.values, (INK, QUIET), ("image", "flip"), strict=True):
        axes.plot(numbers, values, color=colour, linewidth=1.2, label=f"\u03bb, {of}")
    axes.plot(numbers, image.sines, color=_DISTANCE, linewidth=1.2, label="mean sin\u00b2")
    chosen = float(image.sines[image.size - 1])
    axes.plot(image.size, chosen, "o", color=_DISTANCE, markersize=3.5)
    said = f"k = {image.size}: {chosen:.2f}"
    axes.text(0.97, 0.57, said, transform=axes.transAxes, ha="right", fontsize=7, color=_DISTANCE)
    axes.set_ylim(0, 1.03)
    axes.set_xticks([1, image.size, len(image.sines)])
    axes.set_yticks([0, 0.5, 1], ["0", "\u00bd", "1"])
    axes.tick_params(labelsize=6.5, pad=1.5)
    if labelled:
        axes.legend(fontsize=6.5, handlelength=1.2, borderaxespad=0.1, labelspacing=0.2, loc="upper right")
