"""A training step against the formulation it is published in, with every matrix written out."""

from __future__ import annotations

from argparse import Namespace

import pytest
import torch
from step import METHODS, make, ours, reference

SMALL = Namespace(batch=2, crop=65, output_stride=8, backbone="tiny", head_width=32, device="cpu")


@pytest.mark.parametrize("method", METHODS)
def test_it_has_the_published_loss_and_gradients(method: str) -> None:
    mine, published = (make(method, "float32", SMALL) for _ in range(2))
    assert float(ours(mine)()) == pytest.approx(float(reference(published)()), rel=2e-6)
    found, expected = (
        torch.cat([p.grad.flatten() for p in case.network.parameters() if p.grad is not None])
        for case in (mine, published)
    )
    assert float((found - expected).norm() / expected.norm()) < 1e-4
