"""A dense CRF on the few cells of a network's grid, its kernel in full: exact, and with an exact gradient."""

from __future__ import annotations

import torch
from torch import Tensor


def crf_kernel(
    place: Tensor, colours: Tensor, near: float, far: float, colour: float, weights: tuple[float, float]
) -> Tensor:
    """Add up a Gaussian of place and one of place and colour, each normalised as ``D^-1/2 K D^-1/2``.

    Args:
        place: rows and columns of cells, (n, 2).
        colours: in levels of 0 to 255, (n, 3).
        near: standard deviation of place in cells, of the first.
        far: of the second.
        colour: its standard deviation of colour, in levels.
        weights: of the two.

    Returns:
        (n, n); a cell is its own neighbour, too.
    """
    features = (place / near, torch.cat([place / far, colours / colour], dim=1))
    total = colours.new_zeros(len(place), len(place))
    for weight, feature in zip(weights, features, strict=True):
        # Differences, not a product of matrices: it would round what is next to 0.
        distances = torch.cdist(feature, feature, compute_mode="donot_use_mm_for_euclid_dist")
        kernel = torch.exp(-(distances**2) / 2)
        root = kernel.sum(dim=1).rsqrt()
        total += weight * root[:, None] * kernel * root
    return total


def mean_field(scores: Tensor, kernel: Tensor, iterations: int) -> Tensor:
    """Run the CRF: Q starts as the softmax of the scores S, and becomes that of ``S + K Q``.

    Args:
        scores: minus the unary energies, (n, classes).
        kernel: K, (n, n).
        iterations: of the mean field.

    Returns:
        Q, (n, classes).
    """
    beliefs = scores.softmax(dim=1)
    for _ in range(iterations):
        beliefs = (scores + kernel @ beliefs).softmax(dim=1)
    return beliefs
