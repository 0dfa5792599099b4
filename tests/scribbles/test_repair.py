from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scribblebench.scribbles.repair import DUPLICATE, EMPTY, OUTSIDE, SINGLE, ZERO, clip, repair

far = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 6), st.just(2)), elements=st.integers(-30, 60).map(float)
)


def points(*xy: tuple[float, float]) -> np.ndarray:
    return np.array(xy, dtype=np.float64).reshape(-1, 2)


def test_each_repair_is_made_and_counted() -> None:
    raw = [
        (1, points()),
        (2, points((3, 3))),
        (3, points((4, 4), (4, 4), (4, 4))),
        (4, points((1, 1), (1, 1), (2, 2), (2, 2), (5, 2))),
        (5, points((5, 5), (25, 5), (25, 8), (5, 8))),
        (6, points((50, 50))),
    ]
    annotation, repairs = repair("a", 21, 11, raw)
    assert repairs == {EMPTY: 1, SINGLE: 1, ZERO: 1, DUPLICATE: 2, OUTSIDE: 3}
    assert [(s.class_index, s.points.tolist()) for s in annotation.strokes] == [
        (2, [[3, 3]]),
        (3, [[4, 4]]),
        (4, [[1, 1], [2, 2], [5, 2]]),
        (5, [[5, 5], [20, 5]]),
        (5, [[20, 8], [5, 8]]),
    ]


def test_a_good_annotation_is_left_as_it_is() -> None:
    good = points((0, 0), (20, 10), (0.5, 3.25))
    annotation, repairs = repair("a", 21, 11, [(1, good)])
    assert not repairs
    assert annotation.strokes[0].points is good


def samples(polyline: np.ndarray) -> np.ndarray:
    share = np.linspace(0, 1, 201)[:, None]
    pairs = pairwise(polyline) if len(polyline) > 1 else [(polyline[0], polyline[0])]
    return np.concatenate([a + (b - a) * share for a, b in pairs])


@given(far)
def test_clipping_keeps_what_lies_inside_and_nothing_else(polyline: np.ndarray) -> None:
    corner = np.array([20.0, 10.0])
    pieces = clip(polyline, corner)
    assert all(((piece >= 0) & (piece <= corner)).all() for piece in pieces)
    sampled = samples(polyline)
    inside = sampled[((sampled >= 0) & (sampled <= corner)).all(axis=1)]
    kept = np.concatenate([samples(piece) for piece in pieces]) if pieces else np.empty((0, 2))
    # Neighbouring samples of one segment lie at most 0.7 px apart.
    for here, there in ((inside, kept), (kept, sampled)):
        if len(here):
            assert len(there)
            gaps = np.sqrt(((here[:, None] - there[None]) ** 2).sum(axis=2)).min(axis=1)
            assert gaps.max() <= 0.7
