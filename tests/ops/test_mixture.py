"""The mixture against a case by hand and sums over single pixels."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
import torch

from scribblebench.core.seeds import rng
from scribblebench.ops.mixture import Mixture, absence


def test_three_pixels_by_hand() -> None:
    f = torch.tensor([0.0, 1.0, 3.0])[:, None].double()
    mixture = Mixture.of(f[:2], torch.tensor([0, 0]), torch.tensor([0, 1]), (1, 3))
    likely, counted = torch.full((1, 3, 3), 1 / 3).double().log(), torch.ones(1, 3, dtype=torch.bool)
    # Distances to the centres 0 and 1: (0, 1), (1, 0), (3, 2).
    r = (1 + exp(-1) + exp(-1) + 1 + exp(-9) + exp(-4)) / 6
    to_mixture, to_labels = r * log(3) + (1 - r) * log(1.5), -log(1 - exp(-1)) / 2
    assert mixture.fit(f.T[None], likely, counted).item() == pytest.approx((to_mixture + to_labels) / 2)
    assert mixture.separation().item() == pytest.approx(exp(-1))
    assert absence(likely, mixture.present, counted).item() == pytest.approx(log(1.5))


def test_sums_over_single_pixels() -> None:
    """Three images, the last without strokes, against numpy's loops."""
    draws = rng("mixture")
    f, p = draws.uniform(0, 1, (3, 5, 8)), draws.dirichlet(np.ones(4), (3, 8))
    counted = draws.uniform(size=(3, 8)) < 0.7
    images, classes = np.array([0] * 4 + [1] * 4), np.array([0, 0, 2, 2, 2, 2, 3, 3])
    marked = draws.uniform(0, 1, (8, 5))
    mu = {
        (i, c): marked[(images == i) & (classes == c)].mean(axis=0)
        for i, c in {(0, 0), (0, 2), (1, 2), (1, 3)}
    }

    def r(x: np.ndarray, i: int, c: int) -> float:
        return exp(-(np.abs(x - mu[i, c]).mean() ** 2))

    def cross_entropy(q: float, target: float) -> float:
        return -(target * log(q) + (1 - target) * log(1 - q))

    fit = [
        np.mean([cross_entropy(p[i, n, c], r(f[i, :, n], i, c)) for j, c in mu if j == i])
        for i in (0, 1)
        for n in range(8)
        if counted[i, n]
    ]
    labels = [
        np.mean([cross_entropy(r(x, i, c), float(c == own)) for j, c in mu if j == i])
        for x, i, own in zip(marked, images, classes, strict=True)
    ]
    mean = {0: mu[0, 0], 2: (mu[0, 2] + mu[1, 2]) / 2, 3: mu[1, 3]}
    apart = [exp(-(np.abs(mean[a] - mean[b]).mean() ** 2)) for a, b in ((0, 2), (0, 3), (2, 3))]
    absent = [
        sum(-log(1 - p[i, n, c]) for c in range(4) if (i, c) not in mu)
        for i in (0, 1)
        for n in range(8)
        if counted[i, n]
    ]
    mixture = Mixture.of(*map(torch.from_numpy, (marked, images, classes)), (3, 4))
    likely, counted = torch.from_numpy(p).log().mT, torch.from_numpy(counted)
    found = [
        mixture.fit(torch.from_numpy(f), likely, counted),
        mixture.separation(),
        absence(likely, mixture.present, counted),
    ]
    expected = [(np.mean(fit) + np.mean(labels)) / 2, np.mean(apart), np.mean(absent)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_one_stroke_of_one_pixel_has_finite_gradients() -> None:
    """Its centre is itself, and so may be that of another class."""
    f = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    mixture = Mixture.of(f, torch.tensor([0, 0]), torch.tensor([0, 1]), (1, 2))
    likely = torch.full((1, 2, 2), 0.5).double().log()
    value = mixture.fit(f.T[None], likely, torch.ones(1, 2, dtype=torch.bool)) + mixture.separation()
    value.backward()
    assert torch.isfinite(f.grad).all()
