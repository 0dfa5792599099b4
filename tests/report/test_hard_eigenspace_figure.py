"""The figure of the hard eigenspace by its pixels: what is drawn where."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scribblebench.report.figures.hard_eigenspace import Compared, hard_eigenspace

CELLS = 5
RAMP = np.linspace(0, 1, CELLS * CELLS, dtype=np.float32).reshape(CELLS, CELLS)
FALLING = np.linspace(1, 0, 8, dtype=np.float32)
IMAGE = Compared(
    name="one",
    photograph=np.full((33, 33, 3), 128, dtype=np.uint8),
    size=3,
    rows=(RAMP, RAMP, RAMP),
    values=(FALLING, FALLING),
    sines=np.array([np.nan, 0.1, 0.2, 0.2, np.nan, 0.3, 0.3, 0.3], dtype=np.float32),
)


def drawn(image: Compared) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(hard_eigenspace([image], "a test")["png"])).convert("L"))


def test_each_number_is_drawn_in_its_column() -> None:
    plain, turned = drawn(IMAGE), RAMP.T
    spans = []
    for change in (
        {"values": (FALLING, FALLING**2)},
        {"rows": (turned, RAMP, RAMP)},
        {"rows": (RAMP, turned, RAMP)},
        {"rows": (RAMP, RAMP, turned)},
    ):
        columns = np.flatnonzero((drawn(replace(IMAGE, **change)) != plain).any(axis=0))
        spans.append((columns[0], columns[-1]))
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_the_distance_is_drawn_and_written() -> None:
    changed = drawn(replace(IMAGE, sines=IMAGE.sines * 2)) != drawn(IMAGE)
    columns = np.flatnonzero(changed.any(axis=0))
    assert 0.15 < columns[0] / changed.shape[1] < columns[-1] / changed.shape[1] < 0.45
