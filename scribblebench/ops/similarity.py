"""Queries and keys of walks that no layer learns, and what is done to those of layers.

Whatever the similarity, the walk stays ``P = softmax(Q K^T)``: everything that works on factors (the walk in
row blocks, the comparison of two walks, the figures) works on all of these, in memory linear in the cells.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize


def without_mean(queries: Tensor) -> Tensor:
    """Subtract an image's mean query, (batch, n, width).

    ``E_ij = (q_i - q) . k_j + q . k_j``: the second term is the same for every row, so that one cell may draw
    all others, and without the mean it is gone.

    >>> without_mean(torch.tensor([[[1.0, 4.0], [3.0, 4.0]]])).tolist()
    [[[-1.0, 0.0], [1.0, 0.0]]]
    """
    return queries - queries.mean(dim=1, keepdim=True)


def cosine(factor: Tensor) -> Tensor:
    """Give every query or key, (batch, n, width), the length 1."""
    return normalize(factor, dim=-1)


def bilateral_factors(colours: Tensor, xy: float, rgb: float) -> tuple[Tensor, Tensor]:
    """Queries and keys whose walk goes to cells near in place and colour.

    ``P_ij`` is proportional to ``exp(-|x_i - x_j|^2 / 2 xy^2 - |c_i - c_j|^2 / 2 rgb^2)``. With f = (x / xy,
    c / rgb) that is ``exp(f_i . f_j - |f_j|^2 / 2)`` times what a row shares, so the factors are
    ``(f_i, 1)`` and ``(f_j, -|f_j|^2 / 2)``.

    >>> colours = torch.tensor([0.0, 0.0, 255.0]).expand(1, 3, 1, 3)
    >>> queries, keys = bilateral_factors(colours, xy=1e6, rgb=10.0)
    >>> torch.softmax(queries @ keys.mT, dim=-1)[0].tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]

    Args:
        colours: of each cell, (batch, 3, height, width).
        xy: standard deviation over place, in cells.
        rgb: standard deviation over colour, in the units of ``colours``.

    Returns:
        Each (batch, height * width, 6).
    """
    height, width = colours.shape[-2:]
    sides = (torch.arange(side, dtype=colours.dtype, device=colours.device) / xy for side in (height, width))
    place = torch.stack(torch.meshgrid(*sides, indexing="ij")).expand(len(colours), -1, -1, -1)
    features = torch.cat([place, colours / rgb], dim=1).flatten(2).mT
    features = without_mean(features)  # the differences stay; squares of small numbers keep more digits
    halves = features.square().sum(dim=-1, keepdim=True) / 2
    return torch.cat([features, torch.ones_like(halves)], dim=-1), torch.cat([features, -halves], dim=-1)
