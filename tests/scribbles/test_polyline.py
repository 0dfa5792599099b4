from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import approximate_polygon

from scribblebench.scribbles.polyline import simplified


@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), tolerance=st.floats(0.05, 5), ring=st.booleans())
def test_the_points_kept_are_those_of_scikit_image(
    seed: int, count: int, tolerance: float, ring: bool
) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 2)).cumsum(axis=0)
    if ring:
        points[-1] = points[0]
    wanted = approximate_polygon(points, tolerance)
    np.testing.assert_array_equal(simplified(points, tolerance), wanted)
