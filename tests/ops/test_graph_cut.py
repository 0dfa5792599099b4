"""Alpha-expansion against all labellings of tiny graphs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scribblebench.ops.graph_cut import Indices, Potts, alpha_expansion

SEEDS = st.integers(0, 2**32 - 1)


def tiny(seed: int, labels: int) -> Potts:
    """A random graph of up to 6 nodes; some labels are out of the question, some edges weigh nothing."""
    draw = np.random.default_rng(seed)
    nodes = int(draw.integers(1, 7))
    unary = draw.uniform(0, 3, (nodes, labels))
    unary[draw.random((nodes, labels)) < 0.2] = np.inf
    unary[np.arange(nodes), draw.integers(0, labels, nodes)] = draw.uniform(0, 3, nodes)
    pairs = np.array([(i, j) for i in range(nodes) for j in range(i)], dtype=np.int64).reshape(-1, 2)
    edges = pairs[draw.random(len(pairs)) < 0.7]
    return Potts(unary, edges, draw.uniform(0, 2, len(edges)) * draw.integers(0, 2, len(edges)))


def least_energy(potts: Potts) -> float:
    nodes, labels = potts.unary.shape
    return min(potts.energy(np.array(each)) for each in product(range(labels), repeat=nodes))


def expansions(labels: Indices, label: int) -> list[Indices]:
    return [np.where(np.array(taken), label, labels) for taken in product((False, True), repeat=len(labels))]


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_two_labels_are_of_least_energy(seed: int) -> None:
    potts = tiny(seed, 2)
    assert potts.energy(alpha_expansion(potts)) == pytest.approx(least_energy(potts), rel=1e-6)


@settings(deadline=None, max_examples=60)
@given(SEEDS)
def test_more_labels_are_within_the_bound_and_no_expansion_is_lower(seed: int) -> None:
    potts = tiny(seed, 4)
    found = alpha_expansion(potts)
    energy = potts.energy(found)
    assert energy <= potts.energy(potts.unary.argmin(axis=1))
    assert energy <= 2 * least_energy(potts) + 1e-6
    for label in range(4):
        assert energy <= min(potts.energy(each) for each in expansions(found, label)) + 1e-6


def test_scale_of_the_costs_does_not_matter() -> None:
    for factor in (1e-9, 1.0, 1e9):
        for seed in range(20):
            potts = tiny(seed, 3)
            scaled = Potts(potts.unary * factor, potts.edges, potts.weights * factor)
            assert np.array_equal(alpha_expansion(scaled), alpha_expansion(potts))


def test_a_large_grid_of_two_labels_is_cut_where_the_edges_are_weak() -> None:
    side = 40
    pixels = np.arange(side * side).reshape(side, side)
    down, across = (np.stack([a.ravel(), b.ravel()], axis=1) for a, b in
                    ((pixels[:-1], pixels[1:]), (pixels[:, :-1], pixels[:, 1:])))  # fmt: skip
    weights = np.ones(len(down) + len(across))
    weights[len(down) :].reshape(side, side - 1)[:, 12] = 0.1
    unary = np.full((side * side, 2), 0.0)
    unary[pixels[:, 0], 1] = unary[pixels[:, -1], 0] = np.inf
    found = alpha_expansion(Potts(unary, np.concatenate([down, across]), weights)).reshape(side, side)
    assert (found[:, :13] == 0).all()
    assert (found[:, 13:] == 1).all()


def test_a_node_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="no label"):
        alpha_expansion(Potts(np.full((1, 2), np.inf), np.empty((0, 2), dtype=np.int64), np.empty(0)))
