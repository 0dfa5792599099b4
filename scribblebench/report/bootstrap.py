"""Hierarchical bootstrap of the mean IoU: seeds and images resampled together.

Images alone would "separate" two seeds of one method. The draws depend on the number of images and on
the seeds' numbers only, so every method and every rate sees the same resampled images and seeds, and
differences between them are paired. Images and seeds are crossed: one draw of images serves all seeds.

Row 0 of every array is the estimate itself (each image and seed once); the rows below are resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.seeds import rng

Values = NDArray[np.float64]
LEVEL = 0.95


def image_weights(images: int, resamples: int) -> Values:
    """Draw how often each image occurs in each resample.

    Returns:
        float64 (1 + resamples, images); each row sums to ``images``.
    """
    draws = rng("bootstrap", "images", images).multinomial(images, np.full(images, 1 / images), resamples)
    return np.vstack([np.ones(images), draws])


def seed_weights(seeds: Sequence[int], resamples: int) -> Values:
    """Draw each seed's share of each resample.

    Returns:
        float64 (1 + resamples, seeds) in the order of ``seeds``; each row sums to 1.
    """
    count = len(seeds)
    ordered = sorted(seeds)
    draws = rng("bootstrap", "seeds", *ordered).multinomial(count, np.full(count, 1 / count), resamples)
    return np.vstack([np.ones(count), draws])[:, [ordered.index(seed) for seed in seeds]] / count


def resampled_miou(
    intersections: NDArray[np.integer], unions: NDArray[np.integer], weights: Values
) -> Values:
    """Mean IoU of each resample: one matrix product, no loop over resamples.

    Args:
        intersections: pixels of each image and class, (images, C).
        unions: the same for the union.
        weights: from :func:`image_weights`, (rows, images).

    Returns:
        float64 (rows,), the mean over the classes that occur in the resample.

    >>> resampled_miou(np.array([[1, 0], [3, 0]]), np.array([[2, 0], [4, 0]]), np.array([[1.0, 1], [2, 0]]))
    array([0.66666667, 0.5 ])
    """
    intersection = weights @ intersections.astype(np.float64)
    union = weights @ unions.astype(np.float64)
    present = union > 0
    scores = np.divide(intersection, union, out=np.zeros_like(union), where=present)
    mean: Values = scores.sum(axis=1) / present.sum(axis=1)
    return mean


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % percentile interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Values) -> Estimate:
        """Read off an estimate (row 0) and the interval of its resamples (the rows below)."""
        tail = 50 * (1 - LEVEL)
        low, high = np.percentile(values[1:], [tail, 100 - tail])
        return cls(float(values[0]), float(low), float(high))


def one_sided_p(values: Values) -> float:
    """P of "not above 0": the share of resamples at or below 0, never exactly 0.

    >>> one_sided_p(np.array([0.5, 0.1, 0.2, -0.1, 0.3]))
    0.4
    """
    resamples = values[1:]
    return float((1 + (resamples <= 0).sum()) / (1 + len(resamples)))


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values for the number of tests (Holm, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted
