"""Walks from the image and centred walks against explicit matrices."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from scribblebench.ops.diagnostics import column_share
from scribblebench.ops.similarity import bilateral_factors, cosine, without_mean
from scribblebench.ops.walk import Energies


def randn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(1, 4), st.integers(1, 5), st.floats(0.5, 9), st.floats(5, 200), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_image_walk_is_the_bilateral_kernel(
    height: int, width: int, xy: float, rgb: float, seed: int
) -> None:
    colours = 255 * torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(seed)).double()
    ours = Energies(*bilateral_factors(colours, xy, rgb), height, width).matrix()
    cells = [(y, x) for y in range(height) for x in range(width)]
    for image, transition in zip(colours, ours, strict=True):
        kernel = np.array(
            [
                [
                    np.exp(-((y - v) ** 2 + (x - u) ** 2) / (2 * xy**2))
                    * np.exp(-float((image[:, y, x] - image[:, v, u]).square().sum()) / (2 * rgb**2))
                    for v, u in cells
                ]
                for y, x in cells
            ]
        )
        np.testing.assert_allclose(
            transition.numpy(), kernel / kernel.sum(axis=1, keepdims=True), rtol=1e-8, atol=1e-12
        )


def test_the_image_walk_is_near_the_kernel_in_float32_too() -> None:
    colours = 255 * torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    single = Energies(*bilateral_factors(colours, 4.0, 10.0), 20, 20).matrix()
    double = Energies(*bilateral_factors(colours.double(), 4.0, 10.0), 20, 20).matrix()
    torch.testing.assert_close(single.double(), double, rtol=1e-3, atol=1e-6)


def test_without_the_mean_no_column_is_all_rows() -> None:
    queries, keys = randn(2, 12, 3) + 2, randn(2, 12, 3, seed=1)
    assert column_share(Energies(queries, keys, 3, 4)) > 0.5
    centred = without_mean(queries)
    assert column_share(Energies(centred, keys, 3, 4)) < 1e-12
    taken = queries @ keys.mT - centred @ keys.mT
    torch.testing.assert_close(taken, taken[:, :1].expand_as(taken))


@given(st.integers(1, 3), st.integers(2, 12), st.floats(0, 3))
@settings(max_examples=20, deadline=None)
def test_column_share_is_the_variance_it_names(batch: int, cells: int, offset: float) -> None:
    queries, keys = randn(batch, cells, 3) + offset, randn(batch, cells, 3, seed=1)
    shares = []
    for energies in (queries @ keys.mT).numpy():
        centred = energies - energies.mean(axis=1, keepdims=True)
        column = centred.mean(axis=0, keepdims=True)
        shares.append((np.broadcast_to(column, centred.shape) ** 2).sum() / (centred**2).sum())
    np.testing.assert_allclose(column_share(Energies(queries, keys, 1, cells)), np.mean(shares), rtol=1e-9)


def test_cosine_is_of_length_1_and_0_stays() -> None:
    lengths = cosine(torch.cat([randn(1, 4, 3), torch.zeros(1, 1, 3)], dim=1)).norm(dim=-1)
    torch.testing.assert_close(lengths, torch.tensor([[1.0, 1, 1, 1, 0]], dtype=torch.float64))
