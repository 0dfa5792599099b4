"""The boundary map against scipy's Gaussian gradient."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import torch

from scribblebench.core.seeds import rng
from scribblebench.ops.boundary import boundary_map, squared_gradient


def noise(*shape: int) -> torch.Tensor:
    return torch.from_numpy(rng("boundary").standard_normal(shape))


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
def test_the_gradient_is_scipys(sigma: float) -> None:
    images = noise(2, 3, 30, 41)
    expected = [
        sum(
            scipy.ndimage.gaussian_gradient_magnitude(channel, sigma, mode="mirror") ** 2 for channel in image
        )
        for image in images.numpy()
    ]
    np.testing.assert_allclose(squared_gradient(images, sigma), expected, rtol=1e-9, atol=1e-12)


def test_the_map_of_a_step_is_highest_there_and_knows_no_contrast() -> None:
    images = torch.zeros(1, 3, 20, 20, dtype=torch.float64)
    images[..., 10:] = 0.3
    valid = torch.ones(1, 20, 20, dtype=torch.bool)
    edges, counted = boundary_map(images, valid, 1.0)
    assert counted.all()
    assert edges[0, 5].argmax() in (9, 10)
    assert edges[0, :, :5].max() < 1e-3 < 0.9 < edges.max() < 1
    torch.testing.assert_close(boundary_map(7 * images + 2, valid, 1.0)[0], edges)
    assert not boundary_map(torch.ones_like(images), valid, 1.0)[0].any()


def test_what_lies_in_padding_has_no_say() -> None:
    images, valid = noise(2, 3, 24, 24), torch.ones(2, 24, 24, dtype=torch.bool)
    valid[0, :, 16:] = valid[1, :10] = False
    edges, counted = boundary_map(images, valid, 1.0)
    assert counted[0].sum() == 24 * 12
    assert counted[1].sum() == 10 * 24
    other, _ = boundary_map(torch.where(valid[:, None], images, 5.0), valid, 1.0)
    torch.testing.assert_close(edges[counted], other[counted])
