"""Spanning trees and the filter along their paths, against networkx and products over every path."""

from __future__ import annotations

from itertools import pairwise

import networkx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from scribblebench.ops.tree import edge_lengths, spanning_forest, tree_filter

SCALE = 0.7


def random_maps(channels: int, height: int, width: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)


def spanning_tree(features: Tensor, counted: Tensor) -> networkx.Graph:
    """networkx's tree of one image; an edge into padding comes last."""
    height, width = features.shape[-2:]
    grid = networkx.grid_2d_graph(height, width)
    for first, second in grid.edges:
        length = (features[:, *first] - features[:, *second]).square().sum().item()
        grid.edges[first, second]["weight"] = length + 1e9 * (not (counted[first] and counted[second]))
    return networkx.minimum_spanning_tree(grid)


def affinity_matrix(features: Tensor, counted: Tensor) -> Tensor:
    """A of one image: the product over each path, with gradient to the features."""
    height, width = features.shape[-2:]
    paths = dict(networkx.all_pairs_shortest_path(spanning_tree(features.detach(), counted)))
    pixels = [(y, x) for y in range(height) for x in range(width)]

    def edge(first: tuple[int, int], second: tuple[int, int]) -> Tensor:
        joined = counted[first] & counted[second]
        return torch.exp(-(features[:, *first] - features[:, *second]).square().sum() / SCALE) * joined

    one = torch.ones((), dtype=torch.float64)
    rows = []
    for start in pixels:
        walks = [paths[start][end] for end in pixels]
        rows += [torch.stack([one, *(edge(a, b) for a, b in pairwise(w))]).prod() for w in walks]
    return torch.stack(rows).view(len(pixels), len(pixels))


@settings(deadline=None, max_examples=25)
@given(height=st.integers(1, 7), width=st.integers(1, 7), seed=st.integers(0, 999))
def test_forest_is_the_minimum_spanning_tree_of_each_image(height: int, width: int, seed: int) -> None:
    features = random_maps(3, height, width, seed)
    counted = torch.ones(2, height, width, dtype=torch.bool)
    forest = spanning_forest(edge_lengths(features), counted)
    count = height * width
    assert torch.equal(forest.nodes[forest.places], torch.arange(2 * count))
    edges = set()
    for node, parent in enumerate(forest.parents.tolist()):
        pixels = [divmod(int(forest.nodes[i]), count) for i in (node, parent)]
        if node != parent:
            edges.add(tuple(sorted((image, *divmod(pixel, width)) for image, pixel in pixels)))
    wanted = {
        tuple(sorted(((image, *first), (image, *second))))
        for image in range(2)
        for first, second in spanning_tree(features[image], counted[image]).edges
    }
    assert edges == wanted


@settings(deadline=None, max_examples=25)
@given(height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 999))
def test_levels_part_the_nodes_by_depth(height: int, width: int, seed: int) -> None:
    lengths = edge_lengths(random_maps(2, height, width, seed))
    forest = spanning_forest(lengths, torch.ones(2, height, width, dtype=torch.bool))
    depth = torch.zeros_like(forest.parents)
    for node, parent in enumerate(forest.parents.tolist()):
        depth[node] = 0 if node == parent else depth[parent] + 1
    starts = torch.tensor(forest.levels)
    assert torch.equal(torch.bucketize(torch.arange(len(depth)), starts, right=True) - 1, depth)
    assert forest.levels[-1] == len(depth)


@pytest.mark.parametrize("padded", [False, True])
def test_filter_and_both_gradients_are_those_of_the_path_products(padded: bool) -> None:
    features, values = random_maps(3, 5, 5, 1).requires_grad_(), random_maps(2, 5, 5, 2).requires_grad_()
    counted = torch.ones(2, 5, 5, dtype=torch.bool)
    if padded:
        counted[0, :2] = counted[1, :, 3:] = False
    wanted = []
    for image in range(2):
        matrix = affinity_matrix(features[image], counted[image])
        mean = matrix @ values[image].flatten(1).T / matrix.sum(dim=1, keepdim=True)
        wanted.append(mean.T.view(2, 5, 5))
    ours = tree_filter(values, features, counted, SCALE)
    seen = counted[:, None]
    torch.testing.assert_close(ours * seen, torch.stack(wanted) * seen)
    weights = random_maps(2, 5, 5, 3) * seen
    for got, expected in zip(
        torch.autograd.grad((ours * weights).sum(), (features, values)),
        torch.autograd.grad((torch.stack(wanted) * weights).sum(), (features, values)),
        strict=True,
    ):
        torch.testing.assert_close(got, expected)


def test_gradients_are_those_of_finite_differences() -> None:
    features, values = random_maps(2, 4, 6, 5).requires_grad_(), random_maps(3, 4, 6, 6).requires_grad_()
    counted = torch.ones(2, 4, 6, dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda v, f: tree_filter(v, f, counted, SCALE), (values, features))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), value=st.floats(-5, 5))
def test_a_constant_stays(seed: int, value: float) -> None:
    constant = torch.full((2, 1, 6, 5), value, dtype=torch.float64)
    counted = torch.rand(2, 6, 5, generator=torch.Generator().manual_seed(seed)) < 0.9
    torch.testing.assert_close(tree_filter(constant, random_maps(3, 6, 5, seed), counted), constant)
