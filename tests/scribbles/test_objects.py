from __future__ import annotations

import numpy as np
import pytest

from scribblebench.scribbles.objects import group_objects
from scribblebench.scribbles.stroke import Stroke


def mask_of(*rows: str) -> np.ndarray:
    return np.array([[int(c) for c in row] for row in rows], dtype=np.uint8)


TWO = mask_of("1110000111", "1110000111", "1110000111", "0000000000", "2222200000")


def stroke(class_index: int, *points: tuple[float, float]) -> Stroke:
    return Stroke(class_index, np.array(points, dtype=np.float64))


def along(x0: int, x1: int, y: int = 1, times: int = 1) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x in range(x0, x1 + 1)] * times


@pytest.mark.parametrize(
    ("strokes", "objects"),
    [
        ([stroke(1, (0, 0)), stroke(1, (9, 0)), stroke(1, (2, 2))], {0: 0, 1: 1, 2: 0}),
        ([stroke(1, *along(0, 2)), stroke(1, *along(7, 9)), stroke(1, *along(0, 9))], {0: 0, 1: 0, 2: 0}),
        # One point in twenty-two slips to the other object: no reason to join them.
        ([stroke(1, *along(0, 2, times=7), (7, 1)), stroke(1, (8, 1))], {0: 0, 1: 1}),
        # Most of it runs off its object; the part on it counts.
        ([stroke(1, (2, 1), *along(3, 6)), stroke(1, (0, 0))], {0: 0, 1: 0}),
        # Nothing of it lies on its class.
        ([stroke(2, (0, 0)), stroke(2, (1, 4)), stroke(1, (0, 0))], {0: 0, 1: 1, 2: 2}),
        # Objects are of one class, whatever else is there.
        ([stroke(2, (0, 4)), stroke(1, (0, 0))], {0: 0, 1: 1}),
        ([stroke(0, (5, 0)), stroke(0, (9, 4))], {0: 0, 1: 0}),
    ],
    ids=["two objects", "a bridge", "a slip", "run off", "beside its class", "two classes", "background"],
)
def test_which_strokes_are_one_object(strokes: list[Stroke], objects: dict[int, int]) -> None:
    assert group_objects(dict(enumerate(strokes)), TWO) == objects


def test_indices_of_the_source_name_the_objects() -> None:
    assert group_objects({4: stroke(1, (0, 0)), 7: stroke(1, (1, 1)), 9: stroke(1, (9, 1))}, TWO) == {
        4: 4,
        7: 4,
        9: 9,
    }
