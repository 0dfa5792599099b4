"""Superpixels as the nodes of a graph: which of them touch, and what histograms they have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def neighbours(superpixels: Numbers) -> Numbers:
    """List the pairs of superpixels that have 4-neighbouring pixels.

    >>> neighbours(np.array([[0, 0, 1], [2, 2, 1]])).tolist()
    [[0, 1], [0, 2], [1, 2]]

    Args:
        superpixels: numbered from 0, (h, w).

    Returns:
        (pairs, 2), the lower number first, each pair once.
    """
    count = int(superpixels.max()) + 1
    ends = (
        (superpixels[:-1].ravel(), superpixels[1:].ravel()),
        (superpixels[:, :-1].ravel(), superpixels[:, 1:].ravel()),
    )
    one, other = (np.concatenate(parts) for parts in zip(*ends, strict=True))
    apart = one != other
    one, other = one[apart], other[apart]
    codes = np.unique(np.minimum(one, other) * count + np.maximum(one, other))
    return np.stack(np.divmod(codes, count), axis=1)


def histograms(
    superpixels: Numbers, maps: NDArray[np.generic], bins: int, limits: tuple[float, float] | None
) -> NDArray[np.float64]:
    """Count the values of each map in each superpixel, as frequencies.

    >>> both = np.zeros((1, 4), dtype=np.int64)
    >>> histograms(both, np.array([[[0, 50, 99, 99]]]), 2, (0, 100)).tolist()
    [[0.25, 0.75]]

    Args:
        superpixels: numbered from 0, (h, w), each with at least one pixel.
        maps: (maps, h, w).
        bins: of equal width; a bin holds its lower end.
        limits: the values between which the bins lie; None takes each map's least and largest.

    Returns:
        (superpixels, maps * bins); the bins of one map sum to 1.
    """
    flat = superpixels.ravel()
    sizes = np.bincount(flat)
    found = []
    for values in maps:
        low, high = limits or (values.min(), values.max())
        # A flat map has one bin in use.
        bin_of = ((values - low) * (bins / (high - low or 1))).astype(np.int64).clip(0, bins - 1)
        counts = np.bincount(flat * bins + bin_of.ravel(), minlength=len(sizes) * bins)
        found.append(counts.reshape(-1, bins) / sizes[:, None])
    return np.concatenate(found, axis=1)
