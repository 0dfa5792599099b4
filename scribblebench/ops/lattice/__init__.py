"""The permutohedral lattice: Gaussian filters of many points in a few dimensions, as linear operators.

``build(features)`` makes the operator once; calling it filters any number of channels. See ``operator``.
"""

from __future__ import annotations

from torch import Tensor

from scribblebench.ops.lattice.operator import Lattice, build

__all__ = ["Lattice", "build", "filter"]


def filter(values: Tensor, features: Tensor) -> Tensor:
    """Filter values once with a Gaussian of standard deviation 1 in feature space.

    Approximates ``out_p = sum_q exp(-|f_p - f_q|^2 / 2) v_q``, ``q = p`` included, without normalisation; at
    bandwidths usual for photographs it comes to about half of that sum (see ``docs/crf.md``). Differentiable
    in the values, with the exact adjoint; not in the features. To filter more than once, use ``build``.

    Args:
        values: (n, channels), or (batch, n, channels) for features of a batch.
        features: (n, d) or (batch, n, d), each coordinate divided by its bandwidth. No image of a batch sees
            another.

    Returns:
        A tensor like ``values``.

    Raises:
        UserError: see ``build``.

    A constant stays a constant after division by the filtered ones:

    >>> import torch
    >>> points = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    >>> ones = filter(torch.ones(50, 1), points)
    >>> torch.allclose(filter(torch.full((50, 1), 7.0), points) / ones, torch.tensor(7.0))
    True
    """
    return build(features)(values)
