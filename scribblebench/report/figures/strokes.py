"""Strokes over a pale photograph: drawn as lines, so that they are seen where the picture is small."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal
from matplotlib.patheffects import Stroke as Outline
from numpy.typing import NDArray

from scribblebench.pictures.palette import voc_palette
from scribblebench.report.figures.style import QUIET
from scribblebench.scribbles.stroke import Annotation, Points


def draw_strokes(
    axes: Axes,
    photograph: NDArray[np.uint8],
    annotation: Annotation,
    width: float,
    before: Annotation | None = None,
) -> None:
    """Draw strokes over their photograph.

    Args:
        axes: an empty panel.
        photograph: uint8 (h, w, 3); it is shown paler than it is, so that dark strokes stand out.
        annotation: the strokes.
        width: of a line, in points.
        before: the strokes before they were degraded, shown faintly below.
    """
    axes.imshow((255 - 0.6 * (255 - photograph.astype(np.float32))).astype(np.uint8))
    if before is not None and before is not annotation:
        for stroke in before.strokes:
            axes.plot(*stroke.points.T, color="white", linewidth=0.9, linestyle=(0, (2.5, 2)),
                      path_effects=[Outline(linewidth=1.5, foreground=QUIET), Normal()])  # fmt: skip
    for stroke in annotation.strokes:
        _draw_stroke(axes, stroke.points, colour(stroke.class_index), width)
    axes.set_xlim(-0.5, annotation.width - 0.5)
    axes.set_ylim(annotation.height - 0.5, -0.5)


def colour(class_index: int) -> str:
    """Return PASCAL VOC's colour of a class.

    >>> colour(1)
    '#800000'
    """
    red, green, blue = voc_palette()[class_index]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _draw_stroke(axes: Axes, points: Points, shown: str, width: float) -> None:
    casing = [Outline(linewidth=width + 1.6, foreground="white"), Normal()]
    axes.plot(
        *points.T,
        color=shown,
        linewidth=width,
        marker="o" if len(points) == 1 else None,
        markersize=width + 1.5,
        markeredgewidth=0,
        solid_capstyle="round",
        solid_joinstyle="round",
        path_effects=casing,
    )
