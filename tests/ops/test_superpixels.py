from __future__ import annotations

import numpy as np
import pytest

from scribblebench.ops.superpixels import histograms, neighbours


def random_labels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 6, (7, 9))


def test_neighbours_are_those_of_the_pixels() -> None:
    labels = random_labels()
    expected = {
        tuple(sorted((int(labels[y, x]), int(labels[v, u]))))
        for y in range(7)
        for x in range(9)
        for v, u in ((y + 1, x), (y, x + 1))
        if v < 7 and u < 9 and labels[y, x] != labels[v, u]
    }
    assert [tuple(pair) for pair in neighbours(labels).tolist()] == sorted(expected)


def test_one_superpixel_has_no_neighbours() -> None:
    assert neighbours(np.zeros((3, 2), dtype=np.int64)).shape == (0, 2)


@pytest.mark.parametrize("limits", [(0, 256), None])
def test_histograms_are_numpys(limits: tuple[float, float] | None) -> None:
    labels = random_labels()
    maps = np.random.default_rng(1).integers(0, 256, (2, 7, 9)).astype(np.uint8)
    found = histograms(labels, maps, 5, limits)
    for label in range(6):
        expected = [
            np.histogram(values[labels == label], 5, limits or (values.min(), values.max()))[0]
            for values in maps
        ]
        np.testing.assert_allclose(found[label], np.concatenate(expected) / (labels == label).sum())


def test_a_flat_map_has_one_bin() -> None:
    found = histograms(np.array([[0, 1]]), np.full((1, 1, 2), 7.0), 3, None)
    assert found.tolist() == [[1, 0, 0], [1, 0, 0]]
