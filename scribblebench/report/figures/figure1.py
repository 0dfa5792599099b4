"""Figure 1: scribbles, truth, prediction; the representation around the walk; leading eigenvectors of P."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from scribblebench.report.figures.coloured import coloured, objects
from scribblebench.report.figures.panels import SMALL, Row, picture_rows
from scribblebench.report.figures.style import QUIET

_SEQUENTIAL, _DIVERGING = "viridis", "RdBu_r"


@dataclass(frozen=True, eq=False)
class Example:
    """One image and what a network makes of it.

    Attributes:
        name: the image's id.
        photograph: uint8 (h, w, 3).
        scribbles: label map, uint8 (h, w); ``ignore`` where unlabelled; None where the image has none.
        truth: dense mask.
        prediction: classes.
        before: sum of the absolute values of f^{L-1}, a number a cell.
        after: the same of f^L.
        eigenvectors: eigenvalue and vector as a map, largest absolute value 1.
        ignore: label without class.
    """

    name: str
    photograph: NDArray[np.uint8]
    scribbles: NDArray[np.uint8] | None
    truth: NDArray[np.uint8]
    prediction: NDArray[np.uint8]
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    eigenvectors: Sequence[tuple[float, NDArray[np.float32]]]
    ignore: int


def figure1(examples: Sequence[Example], caption: str) -> dict[str, bytes]:
    """Draw one image a row.

    The representations before and after the walk have a scale each, from dark (smallest) to bright: the walk
    adds to the representation, and one scale would show only that.
    """
    vectors = max(len(example.eigenvectors) for example in examples)
    groups = [
        ("(a) labels", ["scribbles", "ground truth", "prediction"]),
        ("(b) representation", ["before the walk", "after the walk"]),
        ("(c) leading eigenvectors of P", [""] * vectors),
    ]
    rows = [Row(e.name, e.photograph.shape[0] / e.photograph.shape[1], _drawing(e)) for e in examples]
    return picture_rows(rows, groups, caption, titled=True)


def _drawing(example: Example) -> Callable[[Sequence[Axes]], None]:
    def draw(panels: Sequence[Axes]) -> None:
        if example.scribbles is None:
            panels[0].imshow(example.photograph)
            panels[0].set_title("no scribbles", fontsize=SMALL, color=QUIET, pad=3)
        else:
            panels[0].imshow(coloured(example.photograph, example.scribbles, example.ignore, 1))
        for panel, labels in zip(panels[1:], (example.truth, example.prediction), strict=False):
            panel.imshow(objects(example.photograph, labels, example.ignore))
        panels[3].imshow(example.before, cmap=_SEQUENTIAL)
        panels[4].imshow(example.after, cmap=_SEQUENTIAL)
        for panel, (value, vector) in zip(panels[5:], example.eigenvectors, strict=False):
            panel.imshow(vector, cmap=_DIVERGING, vmin=-1, vmax=1)
            panel.set_title(f"\u03bb = {value:.2g}".replace("-", "\u2212"), fontsize=SMALL, pad=3)

    return draw
