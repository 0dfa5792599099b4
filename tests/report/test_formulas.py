"""Figures that write formulas of their own: italics are in them only where mathematics is set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scribblebench.report.figures.figure3 import figure3
from scribblebench.report.figures.figure5 import Varied, figure5
from scribblebench.report.figures.hard_eigenspace import Compared, hard_eigenspace

PICTURE = np.full((9, 9, 3), 128, dtype=np.uint8)
MAP = np.linspace(0, 1, 9, dtype=np.float32).reshape(3, 3)
EYE = np.eye(4, dtype=np.uint8)
# A photograph may be called anything that a file may be called.
NAME = "$\\frac{a}{b$"
VARIED = Varied(NAME, {"flip": PICTURE}, {"flip": {"before": MAP, "eigenspace": MAP, "after": MAP}})
COMPARED = Compared(NAME, PICTURE, 2, (MAP, MAP, MAP), (MAP[0], MAP[0]), MAP[0])


@pytest.mark.parametrize(
    "figure",
    [
        lambda: figure3({"flip": (EYE, EYE)}, 2, 2),
        lambda: figure5([VARIED], NAME),
        lambda: hard_eigenspace([COMPARED], NAME),
    ],
    ids=["figure3", "figure5", "hard_eigenspace"],
)
def test_own_formulas_are_typeset_and_names_are_not(figure: Callable[[], dict[str, bytes]]) -> None:
    assert b"DejaVuSans-Oblique" in figure()["svg"]
