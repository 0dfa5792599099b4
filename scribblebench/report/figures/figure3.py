"""Figure 3: the computing matrices T_r and T_c of a flip and of a vertical translation on a small grid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from scribblebench.report.figures.style import INK, QUIET, render

Matrix = NDArray[np.uint8]
_CAPTION = (
    "$T(P) = T_r\\,P\\,T_c$ (Eq. 9): filled entries are 1, all others 0. "
    "A row of $T_r$ is a cell of the transformed image, its column the cell of the image that it shows."
)


def figure3(matrices: Mapping[str, tuple[Matrix, Matrix]], height: int, width: int) -> dict[str, bytes]:
    """Draw a transform a row: the grid's cells before and after, and the two matrices of Eq. 9.

    Args:
        matrices: name of a transform -> T_r and T_c, of 0 and 1.
        height: rows of the grid.
        width: columns of the grid.
    """

    def draw(figure: Figure) -> None:
        rows = figure.subplots(len(matrices), 4, width_ratios=[1.1, 1.1, 1.5, 1.5], squeeze=False)
        for axes, (name, (left, right)) in zip(rows, matrices.items(), strict=True):
            cells = np.arange(height * width)
            _cells(axes[0], cells.reshape(height, width), height)
            _cells(axes[1], (left @ cells).reshape(-1, width), height)
            _matrix(axes[2], left)
            _matrix(axes[3], right)
            axes[0].set_title("cells of the image")
            axes[1].set_title(f"after the {name}")
            axes[2].set_title(f"$T_r$, {left.shape[0]} \u00d7 {left.shape[1]}", parse_math=True)
            axes[3].set_title(f"$T_c$, {right.shape[0]} \u00d7 {right.shape[1]}", parse_math=True)
        figure.suptitle(_CAPTION, fontsize=8, color=QUIET, x=0.01, ha="left", parse_math=True)

    return render(draw, 0.4 + 2.75 * len(matrices))


def _cells(axes: Axes, numbers: NDArray[np.int64], height: int) -> None:
    """Draw numbered cells; cells out of view leave their place empty."""
    rows, columns = numbers.shape
    shade = np.linspace(0.15, 0.65, int(numbers.max()) + 1)[numbers]
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1)
    for (row, column), number in np.ndenumerate(numbers):
        axes.text(column, row, str(number), ha="center", va="center", fontsize=7, color=INK)
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(max(rows, height) - 0.5, -0.5)
    axes.axis("off")


def _matrix(axes: Axes, matrix: Matrix) -> None:
    rows, columns = matrix.shape
    axes.pcolormesh(
        np.ma.masked_equal(matrix, 0), cmap="Blues", vmin=0, vmax=1.3, edgecolors="white", linewidth=0.5
    )
    axes.add_patch(Rectangle((0, 0), columns, rows, facecolor="#f2f2f2", edgecolor=QUIET, zorder=0))
    # All matrices at one scale, whatever their shape.
    side = max(rows, columns)
    axes.set_xlim(0, side)
    axes.set_ylim(side, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
