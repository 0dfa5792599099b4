"""Figure 1 by its pixels: what is drawn where."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scribblebench.report.figures.figure1 import Example, figure1

SIDE, CELLS = 33, 5
RAMP = np.arange(CELLS * CELLS, dtype=np.float32).reshape(CELLS, CELLS)
EXAMPLE = Example(
    name="one",
    photograph=np.full((SIDE, SIDE, 3), 128, dtype=np.uint8),
    scribbles=None,
    truth=np.zeros((SIDE, SIDE), dtype=np.uint8),
    prediction=np.zeros((SIDE, SIDE), dtype=np.uint8),
    before=RAMP,
    after=RAMP,
    eigenvectors=[(0.5, RAMP / RAMP.max())],
    ignore=255,
)


def drawn(example: Example) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(figure1([example], "a test")["png"])).convert("L"))


def columns_that_differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[int, int]:
    columns = np.flatnonzero((one != other).any(axis=0))
    return int(columns[0]), int(columns[-1])


def test_the_representation_before_the_walk_is_left_of_the_one_after_it() -> None:
    both = drawn(EXAMPLE)
    before = columns_that_differ(both, drawn(replace(EXAMPLE, before=RAMP.T)))
    after = columns_that_differ(both, drawn(replace(EXAMPLE, after=RAMP.T)))
    vector = columns_that_differ(both, drawn(replace(EXAMPLE, eigenvectors=[(0.5, RAMP.T / RAMP.max())])))
    assert before[1] < after[0] < after[1] < vector[0]
