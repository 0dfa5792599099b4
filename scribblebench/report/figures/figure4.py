"""Figure 4: strokes of one image at every rate, and what methods score that trained on such."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scribblebench.report.figures.panels import SMALL, Key, Row, picture_rows
from scribblebench.report.figures.strokes import draw_strokes
from scribblebench.report.figures.style import INK
from scribblebench.scribbles.stroke import Annotation

# Inches a line of scores takes, and the width of a line drawn for a pen of one pixel, in points.
_LINE, _PEN = 0.13, 0.4


@dataclass(frozen=True, eq=False)
class Sample:
    """One training image.

    Attributes:
        photograph: uint8 (h, w, 3).
        annotations: its strokes on each variant; the first are undegraded.
    """

    photograph: NDArray[np.uint8]
    annotations: Sequence[Annotation]

    @property
    def tall(self) -> float:
        """Height over width."""
        height, width = self.photograph.shape[:2]
        return float(height / width)


def figure4(
    samples: Sequence[Sample],
    columns: Sequence[str],
    scores: Mapping[str, Sequence[float | None]],
    pen: float,
    caption: str,
    key: Key,
) -> dict[str, bytes]:
    """Draw one image a row, one variant a column, and below all the scores of each method.

    Args:
        samples: the images.
        columns: titles of the variants.
        scores: title of a method -> its mIoU in % on each variant, None where there is none.
        pen: width of a stroke in pixels.
        caption: a line above all.
        key: colours and names of the classes.
    """
    lines = [
        "\n".join(f"{title}: {'-' if row[at] is None else f'{row[at]:.1f}'}" for title, row in scores.items())
        for at in range(len(columns))
    ]
    rows = [
        Row(
            sample.annotations[0].image,
            sample.tall,
            _drawing(sample, pen, lines if sample is samples[-1] else ()),
            (0.06 + _LINE * len(scores)) * (sample is samples[-1]),
        )
        for sample in samples
    ]
    return picture_rows(rows, [("", columns)], caption, key=key)


def _drawing(sample: Sample, pen: float, lines: Sequence[str]) -> Callable[[Sequence[Axes]], None]:
    def draw(panels: Sequence[Axes]) -> None:
        before = sample.annotations[0]
        for panel, annotation in zip(panels, sample.annotations, strict=True):
            draw_strokes(panel, sample.photograph, annotation, _PEN * pen, before)
        for panel, text in zip(panels, lines, strict=False):
            panel.text(0, -0.03, text, transform=panel.transAxes, va="top", fontsize=SMALL, color=INK)

    return draw
