"""Figures 6, 7 and 8: photographs, their truth, and what networks made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scribblebench.report.figures.coloured import objects
from scribblebench.report.figures.panels import SMALL, Key, Row, picture_rows
from scribblebench.report.figures.style import INK

_SCORE = 0.17


@dataclass(frozen=True, eq=False)
class Strip:
    """One image and its label maps.

    Attributes:
        name: shown at its left.
        photograph: uint8 (h, w, 3).
        truth: uint8 (h, w).
        predictions: label map and score in %, of each column.
    """

    name: str
    photograph: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    predictions: Sequence[tuple[NDArray[np.uint8], float]]

    @property
    def tall(self) -> float:
        """Height over width."""
        height, width = self.photograph.shape[:2]
        return float(height / width)


def predictions_figure(
    strips: Sequence[Strip], heading: str, columns: Sequence[str], caption: str, key: Key, ignore: int
) -> dict[str, bytes]:
    """Draw one strip a row: the photograph, the truth, and the predictions with their scores below.

    Args:
        strips: the rows.
        heading: above the predictions.
        columns: titles of the predictions.
        caption: a line above all.
        key: colours and names of the classes.
        ignore: label without class.
    """
    groups = [("", ["photograph", "ground truth"]), (heading, columns)]
    rows = [Row(strip.name, strip.tall, _drawing(strip, ignore), _SCORE) for strip in strips]
    return picture_rows(rows, groups, caption, key=key)


def _drawing(strip: Strip, ignore: int) -> Callable[[Sequence[Axes]], None]:
    def draw(panels: Sequence[Axes]) -> None:
        panels[0].imshow(strip.photograph)
        panels[1].imshow(objects(strip.photograph, strip.truth, ignore))
        for panel, (labels, score) in zip(panels[2:], strip.predictions, strict=True):
            panel.imshow(objects(strip.photograph, labels, ignore))
            panel.set_xlabel(f"{score:.1f}", loc="left", fontsize=SMALL, color=INK, labelpad=2)

    return draw
