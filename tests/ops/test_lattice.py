"""The lattice against dense kernels, brute force and finite differences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from photographs import of_voc
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.ops import lattice
from scribblebench.ops.gaussian import exact_filter
from scribblebench.ops.lattice.simplex import simplices

double = torch.float64


def cloud(points: int, dimensions: int, *, spread: float = 3.0, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return spread * torch.rand(points, dimensions, generator=draw, dtype=double)


def by_hand(features: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The lattice in plain Python: barycentric weights by solving, vertices in a dictionary."""
    d = features.shape[1]
    basis = np.zeros((d + 1, d))
    for j in range(d):  # an orthonormal basis of the hyperplane, column by column
        basis[: j + 1, j], basis[j + 1, j] = 1, -(j + 1)
        basis[:, j] /= np.sqrt((j + 1) * (j + 2))
    lifted = features @ basis.T * (d + 1) * np.sqrt(2 / 3)
    table: dict[tuple[int, ...], np.ndarray] = {}
    corners = []
    for point, value in zip(lifted, values, strict=True):
        nearest = min(
            (np.array(c) for c in _zero_points(point, d)), key=lambda c: float(((point - c) ** 2).sum())
        )
        order = np.argsort(-(point - nearest), kind="stable")
        keys = [nearest + k - (d + 1) * np.isin(np.arange(d + 1), order[d + 1 - k :]) for k in range(d + 1)]
        weights = np.linalg.lstsq(
            np.vstack([np.array(keys).T, np.ones(d + 1)]), np.append(point, 1), rcond=None
        )[0]
        corners.append([(tuple(map(int, key)), weight) for key, weight in zip(keys, weights, strict=True)])
        for key, weight in corners[-1]:
            table[key] = table.get(key, 0) + weight * value
    for axis in range(d + 1):
        step = -np.ones(d + 1, dtype=int)
        step[axis] = d
        old = table
        table = {
            key: old[key]
            + sum(0.5 * old.get(tuple(int(x) for x in np.array(key) + sign * step), 0) for sign in (1, -1))
            for key in old
        }
    return np.array([sum(w * table[key] for key, w in corner) for corner in corners]) / (1 + 2.0**-d)


def _zero_points(point: np.ndarray, d: int) -> list[np.ndarray]:
    """Vertices of remainder zero near a point: multiples of d + 1 that sum to zero."""
    low = np.floor(point / (d + 1)).astype(int)
    ups = np.array(np.meshgrid(*[[0, 1]] * (d + 1))).reshape(d + 1, -1).T
    return [(low + up) * (d + 1) for up in ups if (low + up).sum() == 0]


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_equals_the_lattice_by_hand(dimensions: int) -> None:
    features, values = cloud(60, dimensions), cloud(60, 2, seed=1)
    expected = by_hand(features.numpy(), values.numpy())
    np.testing.assert_allclose(lattice.filter(values, features).numpy(), expected, rtol=1e-9)


def test_vertices_beside_each_other_in_code_are_neighbours_only_on_the_lattice() -> None:
    """Points far apart along one digit of the code: a step outside of a row must not reach the next row."""
    grid = torch.cartesian_prod(*[torch.arange(5, dtype=double)] * 2, torch.arange(2, dtype=double)) * 1.7
    features = grid + cloud(*grid.shape, spread=0.3)
    values = torch.eye(len(features), dtype=double)
    np.testing.assert_allclose(
        lattice.filter(values, features).numpy(), by_hand(features.numpy(), values.numpy()), atol=1e-12
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 40), st.floats(0.1, 50), st.integers(0, 1000))
def test_weights_are_barycentric(dimensions: int, points: int, spread: float, seed: int) -> None:
    codes, weights, _ = simplices(cloud(points, dimensions, spread=spread, seed=seed)[None])
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(points, dtype=double))
    assert codes.min() >= 0
    assert all(len(set(row.tolist())) == dimensions + 1 for row in codes)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5), st.randoms(use_true_random=False))
def test_order_of_the_points_does_not_matter(dimensions: int, random: Random) -> None:
    features, values = cloud(50, dimensions), cloud(50, 2, seed=1)
    order = list(range(50))
    random.shuffle(order)
    torch.testing.assert_close(
        lattice.filter(values[order], features[order]), lattice.filter(values, features)[order]
    )


def test_transposed_is_the_adjoint_with_factors_too() -> None:
    features, factors = cloud(300, 5, spread=6), cloud(300, 2, seed=5)
    left, right = cloud(300, 3, seed=1), cloud(300, 3, seed=2)
    for made in (lattice.build(features), lattice.build(features).scaled(factors[:, 0], factors[:, 1])):
        forth, back = (made(left) * right).sum(), (left * made.transposed(right)).sum()
        assert abs(forth - back) < 1e-10 * abs(forth)
    plain = lattice.build(features)
    assert (plain(left) * right - left * plain(right)).sum().abs() > 1e-3, "so the axes' order matters"


def test_gradient_by_finite_differences() -> None:
    features = cloud(12, 3)
    values = cloud(12, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: lattice.filter(v, features).square(), (values,))
    assert torch.autograd.gradgradcheck(lambda v: lattice.filter(v, features).square(), (values,))


def test_a_batch_is_its_images_to_the_bit() -> None:
    features = torch.stack([cloud(200, 5, seed=s, spread=2.0 + s) for s in range(3)]).float()
    values = torch.stack([cloud(200, 4, seed=9 + s) for s in range(3)]).float()
    together = lattice.filter(values, features)
    for image in range(3):
        assert torch.equal(together[image], lattice.filter(values[image], features[image]))


def test_a_constant_stays_one_and_repeats_are_equal_to_the_bit() -> None:
    features = cloud(4000, 5, spread=20).float()
    made = lattice.build(features)
    mean = made(torch.full((4000, 1), 3.0)) / made(torch.ones(4000, 1))
    torch.testing.assert_close(mean, torch.full((4000, 1), 3.0))
    values = cloud(4000, 21, seed=1).float()
    assert torch.equal(made(values), lattice.build(features)(values))


@pytest.mark.parametrize(("position", "colour", "bound"), [(67, 3, 0.055), (80, 13, 0.035)])
def test_near_the_exact_filter_on_photographs(
    voc_mini: Path, position: float, colour: float, bound: float
) -> None:
    """The symmetrically normalised filter, as the CRF uses it, on crops whose n^2 is small."""
    errors = []
    for seed, (picture, _) in enumerate(of_voc(voc_mini, "val", 8)):
        crop = picture[100:148, 150:214].double()
        place = torch.cartesian_prod(*[torch.arange(side, dtype=double) for side in crop.shape[:2]])
        features = torch.cat([place / position, crop.reshape(-1, 3) / colour], dim=1)
        values = cloud(len(features), 5, spread=1.0, seed=seed)
        ours, exact = (normalised(f, values, features) for f in (lattice.filter, exact_filter))
        errors.append(float(((ours - exact).abs() / exact).mean()))
    assert np.mean(errors) <= bound, errors


def normalised(kernel: Callable[[Tensor, Tensor], Tensor], values: Tensor, features: Tensor) -> Tensor:
    factor = kernel(torch.ones_like(values[:, :1]), features).rsqrt()
    return factor * kernel(factor * values, features)


def test_exact_filter_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    features, values = cloud(50, 3), cloud(50, 2, seed=1)
    kernel = torch.exp(-0.5 * (features[:, None] - features[None]).square().sum(-1))
    monkeypatch.setattr("scribblebench.ops.gaussian._ENTRIES", 350)
    torch.testing.assert_close(exact_filter(values, features), kernel @ values)
    batch = exact_filter(torch.stack([values, 2 * values]), torch.stack([features, features]))
    torch.testing.assert_close(batch[1], 2 * kernel @ values)
    assert torch.autograd.gradcheck(lambda v: exact_filter(v, features[:9]), (values[:9].requires_grad_(),))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.zeros(0, 5), "needs points"),
        (torch.tensor([[0.0, float("nan")]]), "not a finite"),
        (torch.tensor([[0.0] * 5, [1e7] * 5]), "larger bandwidths"),
    ],
)
def test_features_that_no_lattice_holds(features: Tensor, message: str) -> None:
    with pytest.raises(UserError, match=message):
        lattice.build(features)


def test_large_boxes_are_numbered_in_64_bits() -> None:
    features = cloud(40, 5, spread=400)
    codes, _, _ = simplices(features[None])
    assert codes.dtype == torch.int64
    values = cloud(40, 2, seed=1)
    expected = by_hand(features.numpy(), values.numpy())
    np.testing.assert_allclose(lattice.filter(values, features).numpy(), expected, rtol=1e-9)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_repeats_to_the_bit_and_agrees_with_the_cpu() -> None:
    features, values = cloud(5000, 5, spread=20).float(), cloud(5000, 21, seed=1).float()
    first = lattice.filter(values.cuda(), features.cuda())
    assert torch.equal(first, lattice.filter(values.cuda(), features.cuda()))
    torch.testing.assert_close(first.cpu(), lattice.filter(values, features))
