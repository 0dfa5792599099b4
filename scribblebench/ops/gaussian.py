"""The exact Gaussian filter of few points: the oracle of the lattice, and the choice where n^2 is small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

_ENTRIES = 1 << 24  # of the kernel at a time: 64 MB of float32


def exact_filter(values: Tensor, features: Tensor) -> Tensor:
    """Compute ``out_p = sum_q exp(-|f_p - f_q|^2 / 2) v_q``, ``q = p`` included.

    In blocks of rows, so that memory is linear in n, forward and backward. Differentiable in the values.

    Args:
        values: (n, channels), or (batch, n, channels).
        features: (n, d) or (batch, n, d), each coordinate divided by its bandwidth.

    Two points at a distance of 2:

    >>> exact_filter(torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [2.0]])).view(-1)
    tensor([1.0000, 0.1353])
    """
    result: Tensor = _Exact.apply(values, features)
    return result


class _Exact(torch.autograd.Function):
    """The kernel is symmetric: backward is the same filter."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, features: Tensor) -> Tensor:
        ctx.save_for_backward(features)
        return torch.cat([block @ values for block in _blocks(features)], dim=-2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        result: Tensor = _Exact.apply(gradient, *ctx.saved_tensors)
        return result, None


def _blocks(features: Tensor) -> Iterator[Tensor]:
    rows = max(1, _ENTRIES // features.shape[:-1].numel())
    for start in range(0, features.shape[-2], rows):
        # Differences, not the expanded square, which loses half of the digits.
        distance = torch.cdist(
            features[..., start : start + rows, :], features, compute_mode="donot_use_mm_for_euclid_dist"
        )
        yield distance.square_().mul_(-0.5).exp_()
