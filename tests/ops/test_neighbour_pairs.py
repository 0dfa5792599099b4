"""The affinity walk against explicit matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from scribblebench.ops.neighbour_pairs import affinities, offsets, transition, walked


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def dense(features: Tensor, radius: int, beta: float) -> np.ndarray:
    """The matrix entry by entry."""
    _, height, width = features.shape
    cells = [(y, x) for y in range(height) for x in range(width)]
    matrix = np.zeros((len(cells), len(cells)))
    for i, (y, x) in enumerate(cells):
        for j, (v, u) in enumerate(cells):
            if (y - v) ** 2 + (x - u) ** 2 < radius**2:
                apart = (features[:, y, x] - features[:, v, u]).abs().mean()
                matrix[i, j] = float(torch.exp(-apart)) ** beta
    return matrix / matrix.sum(axis=0, keepdims=True)


def test_each_pair_is_met_once() -> None:
    half = offsets(5)
    assert len({*half} | {(-dy, -dx) for dy, dx in half}) == 68  # the disc of 69 cells without its centre
    features = noise(1, 2, 4, 6)
    assert affinities(features, 2).shape[1] == 3 * 6 + 4 * 5 + 3 * 5 * 2


@pytest.mark.parametrize(("size", "radius"), [((4, 6), 3), ((5, 3), 5), ((1, 7), 4)])
def test_the_walk_is_the_power_of_the_matrix(size: tuple[int, int], radius: int) -> None:
    features = noise(3, *size)
    matrix = transition(features, radius, 8.0)
    expected = dense(features, radius, 8.0)
    np.testing.assert_allclose(matrix.toarray(), expected, atol=1e-12)
    values = noise(4, size[0] * size[1]).numpy()
    for steps in (0, 1, 256):
        power = np.linalg.matrix_power(expected, steps)
        np.testing.assert_allclose(walked(values, matrix, steps), values @ power, atol=1e-9)


def test_what_the_walk_keeps() -> None:
    """A constant stays constant, and the mass weighted by degree, which is the walk's stationary measure."""
    features = noise(2, 5, 6)
    matrix = transition(features, 3, 2.0)
    np.testing.assert_allclose(walked(np.ones((1, 30)), matrix, 50), 1)
    stationary = walked(np.eye(30), matrix, 20_000)[:, 0]
    values = noise(3, 30).numpy()
    np.testing.assert_allclose(walked(values, matrix, 7) @ stationary, values @ stationary, atol=1e-9)


def test_nothing_crosses_a_wall() -> None:
    features = torch.zeros(1, 1, 9)
    features[..., 5:] = 1e4
    left = np.array([[1.0, *[0.0] * 8]])
    found = walked(left, transition(features, 2, 1.0), 5000)[0]
    assert (found[5:] == 0).all()
    assert (found[:5] > 0).all()
