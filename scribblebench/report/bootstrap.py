"""Mean IoU on resampled validation images and on all seeds but one.

A quantity is an array (1 + seeds, 1 + resamples): row 0 takes every seed, row k leaves the k-th out; column 0
takes every image once, the columns right of it are bootstrap resamples of the images. Differences, ratios and
means over rates are taken element by element, and :mod:`scribblebench.report.intervals` reads estimate and
interval off the result. With one seed there is only row 0.

The draws depend on the number of images only, so every method, rate and seed sees the same resampled images,
and differences between them are paired. Images and seeds are crossed: one draw of images serves all seeds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.seeds import rng

Values = NDArray[np.float64]


def image_weights(images: int, resamples: int) -> Values:
    """Draw how often each image occurs in each resample.

    Returns:
        float64 (1 + resamples, images); each row sums to ``images``.
    """
    draws = rng("bootstrap", "images", images).multinomial(images, np.full(images, 1 / images), resamples)
    return np.vstack([np.ones(images), draws])


def seed_weights(seeds: int) -> Values:
    """Give each seed's share where all are taken, and where one is left out.

    Returns:
        float64 (1 + seeds, seeds); each row sums to 1. With one seed (1, 1): it cannot be left out.

    >>> seed_weights(2)
    array([[0.5, 0.5],
           [0. , 1. ],
           [1. , 0. ]])
    """
    if seeds == 1:
        return np.ones((1, 1))
    kept = np.vstack([np.ones(seeds), 1 - np.eye(seeds)])
    shares: Values = kept / kept.sum(axis=1, keepdims=True)
    return shares


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
