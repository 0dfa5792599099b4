"""The killed walk against closed forms, against scikit-image, against walking, and its gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.segmentation import random_walker
from torch import Tensor

from scribblebench.ops.killed_walk import given_survival, hits


def walk_labels(boundary: Tensor, seeds: Tensor, counted: Tensor, classes: int) -> Tensor:
    return given_survival(hits(boundary, seeds, counted, classes))


def chain(rate: float, length: int = 9) -> Tensor:
    seeds = torch.full((1, 1, length), -1)
    seeds[0, 0, 0], seeds[0, 0, -1] = 0, 1
    boundary = torch.full((1, 1, length), rate, dtype=torch.float64)
    return walk_labels(boundary, seeds, torch.ones_like(seeds, dtype=torch.bool), 2)[0, 1, 0]


@pytest.mark.parametrize("rate", [0.01, 0.5, 30.0])
def test_a_chain_is_a_ratio_of_hyperbolic_sines(rate: float) -> None:
    """``2 exp(b) z(x) = z(x - 1) + z(x + 1)`` has the solutions sinh(k x), cosh k = exp(b)."""
    x, k = np.arange(9.0), np.arccosh(np.exp(rate))
    expected = np.sinh(k * x) / (np.sinh(k * x) + np.sinh(k * (8 - x)))
    np.testing.assert_allclose(chain(rate).numpy(), expected, rtol=1e-9)


def grid(seed: int = 0, side: int = 7) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    boundary = torch.rand(2, side, side + 2, generator=generator, dtype=torch.float64)
    seeds = torch.full(boundary.shape, -1)
    seeds[0, 1, 1:4], seeds[0, 5, 6], seeds[1, 3, 3], seeds[1, 6, 0:2] = 0, 2, 1, 2
    counted = torch.ones_like(seeds, dtype=torch.bool)
    counted[1, :, 7:] = False
    return boundary, seeds, counted


def test_without_killing_it_is_gradys_walker_of_equal_edges() -> None:
    """beta = 0 makes all conductances equal, and then weights by degree cancel; else they do not."""
    boundary, seeds, counted = grid()
    found = walk_labels(torch.zeros_like(boundary), seeds, counted, 3)[0]
    labels = torch.where(seeds[0] == 0, 1, torch.where(seeds[0] == 2, 2, 0)).numpy()
    picture = boundary[0].numpy()
    expected = random_walker(picture, labels, beta=0, mode="bf", return_full_prob=True)
    np.testing.assert_allclose(found[[0, 2]].numpy(), expected, atol=1e-8)
    assert not found[1].any()


def test_hits_are_where_walks_end() -> None:
    """Step by step: mass moves to neighbours, dies or arrives."""
    boundary, seeds, counted = grid()
    for start in ((0, 0, 0), (1, 0, 4)):
        image = start[0]
        mass, ended = np.zeros(seeds.shape[1:]), np.zeros(3)
        mass[start[1:]] = 1
        for _ in range(80):
            moved = np.zeros_like(mass)
            for y, x in np.argwhere(mass > 0):
                around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                near = [p for p in around if 0 <= p[0] < 7 and 0 <= p[1] < 9 and counted[image][p]]
                for place in near:
                    share = mass[y, x] * np.exp(-boundary[image, y, x].item()) / len(near)
                    label = int(seeds[image][place])
                    if label >= 0:
                        ended[label] += share
                    else:
                        moved[place] += share
            mass = moved
        found = hits(boundary, seeds, counted, 3)[image, :, start[1], start[2]]
        np.testing.assert_allclose(found.numpy(), ended, rtol=1e-9)


def test_a_wall_separates() -> None:
    seeds = torch.full((1, 6, 9), -1)
    seeds[0, 2, 0], seeds[0, 3, 8] = 0, 1
    boundary = torch.zeros(1, 6, 9, dtype=torch.float64)
    boundary[..., 3] = 50
    found = walk_labels(boundary, seeds, seeds >= -1, 2)[0]
    assert (found[0, :, :3] > 1 - 1e-9).all()
    assert (found[1, :, 4:] > 1 - 1e-9).all()
    boundary[..., 3] = 1e6
    assert torch.isfinite(walk_labels(boundary, seeds, seeds >= -1, 2)).all()


def test_probabilities_far_from_any_seed_keep_their_digits() -> None:
    """Nothing but one walk in e^300 arrives, and the distribution is still right."""
    seeds = torch.full((1, 1, 61), -1)
    seeds[..., 0], seeds[..., -1] = 0, 1
    found = walk_labels(torch.full(seeds.shape, 10.0), seeds, seeds >= -1, 2)[0, :, 0]
    torch.testing.assert_close(found[:, 30], torch.tensor([0.5, 0.5], dtype=torch.float64))
    torch.testing.assert_close(found[0], found[1].flip(0), rtol=1e-9, atol=0.0)


def test_sums_to_one_where_a_walk_leads_to_a_seed_and_to_nothing_elsewhere() -> None:
    boundary, seeds, counted = grid()
    counted[0, :, 4] = False  # the right part of the first image keeps a seed, of class 2
    counted[1, 4] = False  # the lower part of the second too
    seeds[1, :4] = -1  # and the upper one has none
    total = walk_labels(boundary, seeds, counted, 3).sum(dim=1)
    led = counted.clone()
    led[1, :4] = False
    torch.testing.assert_close(total, led.double())


def test_without_seeds_there_is_nothing() -> None:
    boundary, seeds, counted = grid()
    boundary.requires_grad_()
    found = walk_labels(boundary, torch.full_like(seeds, -1), counted, 3)
    assert not found.any()
    found.sum().backward()
    assert not boundary.grad.any()
    assert walk_labels(boundary, torch.zeros_like(seeds), counted, 3)[:, 0].equal(counted.double())


def test_gradient_is_that_of_finite_differences() -> None:
    boundary, seeds, counted = grid(side=7)
    weights = torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def value(given: Tensor) -> Tensor:
        return (walk_labels(given, seeds, counted, 3).square() * weights).sum()

    assert torch.autograd.gradcheck(value, boundary.requires_grad_(), eps=1e-6, atol=1e-8)
