"""Region growing on maps by hand, and the CRF on cells against its definition."""

from __future__ import annotations

import numpy as np
import torch

from scribblebench.ops.grid_crf import crf_kernel, mean_field
from scribblebench.ops.seeded_growth import grow

NONE = 255
# Likeliest class of each cell; capitals of the comments below are rows.
LIKELY = np.array(
    [
        [1, 1, 0, 0, 0, 1],
        [0, 0, 1, 0, 0, 1],
        [0, 0, 0, 1, 0, 0],
        [2, 2, 0, 0, 0, 0],
        [2, 2, 2, 0, 0, 0],
        [3, 3, 2, 0, 0, 2],
    ]
)


def sure(level: float) -> np.ndarray:
    """Give the likeliest class so much and the others the rest alike, (4, 6, 6)."""
    other = (1 - level) / 3
    return np.where(np.arange(4)[:, None, None] == LIKELY, level, other)


def test_a_map_by_hand() -> None:
    seeds = np.full((6, 6), NONE)
    seeds[0, 0], seeds[4, 1], seeds[5, 5], seeds[4, 2], seeds[2, 5] = 1, 2, 0, 1, 3
    present = np.array([True, True, True, True])
    expected = np.array(
        [
            [1, 1, NONE, NONE, NONE, NONE],  # the other region of class 1 holds no seed
            [NONE, NONE, 1, NONE, NONE, NONE],  # corners connect
            [NONE, NONE, NONE, 1, NONE, 3],  # a seed that is unlikely stays, and takes nothing in
            [2, 2, NONE, NONE, NONE, NONE],  # background must be surer than this
            [2, 2, 1, NONE, NONE, NONE],  # a seed of another class is not taken ...
            [NONE, NONE, 2, NONE, NONE, 0],  # ... but connects at the corner behind it
        ]
    )
    assert np.array_equal(grow(seeds, sure(0.9), present, NONE), expected)
    assert np.array_equal(grow(seeds, sure(0.8), present, NONE), seeds)  # nothing is sure enough
    background = grow(seeds, sure(0.995), present, NONE)
    assert ((background == 0) == ((LIKELY == 0) & (seeds == NONE)) | (seeds == 0)).all()


def test_a_class_that_the_image_does_not_have_takes_and_bars_nothing() -> None:
    seeds = np.full((6, 6), NONE)
    seeds[3, 0] = 2
    probabilities = sure(0.5)
    probabilities[2, 3:, :3] = 0.4
    likely = np.where(LIKELY == 3, 1.0, 0.0)
    probabilities[3] += likely
    probabilities[2] += 0.5 * likely
    grown = grow(seeds, probabilities, np.array([True, True, True, False]), NONE, foreground=0.3)
    assert (grown[5, :2] == 2).all()
    with_all = grow(seeds, probabilities, np.array([True] * 4), NONE, foreground=0.3)
    assert (with_all[5, :2] == NONE).all()


def test_the_crf_is_its_definition_and_its_gradient_exact() -> None:
    draw = torch.Generator().manual_seed(0)
    colours = torch.rand(12, 3, generator=draw, dtype=torch.float64) * 60
    place = torch.cartesian_prod(torch.arange(3.0), torch.arange(4.0)).double()
    kernel = crf_kernel(place, colours, 0.5, 2.0, 20.0, (3.0, 10.0))

    def gaussian(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.exp(-((one - other) ** 2).sum() / 2))

    expected = np.zeros((12, 12))
    both = np.hstack([place.numpy() / 2, colours.numpy() / 20])
    for weight, points in ((3.0, place.numpy() / 0.5), (10.0, both)):
        found = np.array([[gaussian(one, other) for other in points] for one in points])
        degree = found.sum(axis=1)
        expected += weight * found / np.sqrt(np.outer(degree, degree))
    np.testing.assert_allclose(kernel.numpy(), expected, atol=1e-12)

    scores = torch.rand(12, 2, generator=draw, dtype=torch.float64, requires_grad=True)
    beliefs = scores.detach().softmax(1).numpy()
    for _ in range(2):
        energy = np.exp(scores.detach().numpy() + expected @ beliefs)
        beliefs = energy / energy.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mean_field(scores, kernel, 2).detach().numpy(), beliefs, atol=1e-12)
    assert torch.autograd.gradcheck(lambda s: mean_field(s, kernel, 2), (scores,))
