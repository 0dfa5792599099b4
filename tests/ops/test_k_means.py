"""k-means against clusters that are known."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from scribblebench.ops.k_means import k_means


def test_separate_clusters_are_found_up_to_a_permutation() -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 10, 600)
    centres = draw.normal(size=(10, 24)) * 4
    vectors = centres[truth] + draw.normal(size=(600, 24)) * 0.3
    found = k_means(vectors, 10, np.random.default_rng(1))
    table = np.zeros((10, 10), dtype=int)
    np.add.at(table, (truth, found), 1)
    assert table[linear_sum_assignment(-table)].sum() == 600
    assert np.array_equal(found, k_means(vectors, 10, np.random.default_rng(1)))


def test_fewer_vectors_than_clusters_and_equal_ones() -> None:
    assert sorted(k_means(np.eye(3), 10, np.random.default_rng(0))) == [0, 1, 2]
    assert len(k_means(np.zeros((0, 4)), 3, np.random.default_rng(0))) == 0
    assert np.isfinite(k_means(np.ones((8, 2)), 3, np.random.default_rng(0))).all()
