from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from scribblebench.core.library import Library
from scribblebench.report.figures.looks import look
from scribblebench.report.figures.style import COLOURS

# Machado, Oliveira and Fernandes, 2009, severity 1: linear RGB as it is seen.
SEEN = {
    "everybody": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protanopia": [0.1523, 1.0526, -0.2049, 0.1145, 0.7863, 0.0992, -0.0039, -0.0481, 1.0520],
    "deuteranopia": [0.3673, 0.8606, -0.2280, 0.2801, 0.6725, 0.0474, -0.0118, 0.0429, 0.9689],
    "tritanopia": [1.2555, -0.0767, -0.1788, -0.0784, 0.9308, 0.1476, 0.0047, 0.6914, 0.3039],
}


def linear(colours: tuple[str, ...]) -> NDArray[np.float64]:
    codes = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]) / 255
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("eyes", SEEN)
def test_colours_are_told_apart(eyes: str) -> None:
    """A difference of 2.3 is just noticeable."""
    seen = np.clip(linear(COLOURS) @ np.reshape(SEEN[eyes], (3, 3)).T, 0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))
    assert min(deltaE_ciede2000(a, b) for a, b in itertools.combinations(lab, 2)) > 8


def test_colours_show_on_white() -> None:
    luminance = linear(COLOURS) @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (luminance + 0.05) >= 3).all()


def test_no_two_shipped_methods_look_alike() -> None:
    methods = {
        name for grid in ("ablation", "comparison", "controls") for name in Library().grid(grid).methods
    }
    assert len({look(name) for name in methods}) == len(methods)


def test_a_look_is_that_of_the_name() -> None:
    """Pinned: figures of one method keep their colour from version to version."""
    assert [look(name).colour for name in ("baseline", "rw", "rw-ss")] == list(COLOURS[:3])
    assert (look("mine").colour, look("mine").marker) == ("#3097e0", "p")
    earlier = look("rw [1a2b3c]")
    assert (earlier.colour, earlier.marker) == (look("rw").colour, look("rw").marker)
    assert earlier.dash != look("rw").dash
