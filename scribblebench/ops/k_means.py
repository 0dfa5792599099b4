"""k-means for a few thousand features: Lloyd's iterations from seeded k-means++ centres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Vectors = NDArray[np.floating]


def k_means(
    vectors: Vectors, clusters: int, rng: np.random.Generator, starts: int = 10, iterations: int = 300
) -> NDArray[np.int64]:
    """Divide vectors into clusters of small squared distance to their means: the best of several starts.

    >>> found = k_means(np.array([[0.0], [9.0], [0.1], [9.1]]), 2, np.random.default_rng(0))
    >>> [bool(found[i] == found[0]) for i in range(4)]
    [True, False, True, False]

    Args:
        vectors: (count, dimensions).
        clusters: at most so many; fewer where there are fewer vectors.
        rng: draws the first centres.
        starts: of which the best is taken.
        iterations: at most, of each start.

    Returns:
        The cluster of each, from 0, (count,).
    """
    clusters = min(clusters, len(vectors))
    if not clusters:
        return np.zeros(0, dtype=np.int64)
    tries = [_lloyd(vectors, _far_apart(vectors, clusters, rng), iterations) for _ in range(starts)]
    return min(tries, key=lambda found: found[1])[0]


def _far_apart(vectors: Vectors, clusters: int, rng: np.random.Generator) -> Vectors:
    """Draw centres one by one, each with odds of the squared distance to the ones before (k-means++)."""
    centres = [vectors[rng.integers(len(vectors))]]
    nearest = np.full(len(vectors), np.inf)
    while len(centres) < clusters:
        nearest = np.minimum(nearest, cdist(vectors, centres[-1:], "sqeuclidean")[:, 0])
        total = nearest.sum()
        odds = nearest / total if total > 0 else None
        centres.append(vectors[rng.choice(len(vectors), p=odds)])
    return np.stack(centres)


def _lloyd(vectors: Vectors, centres: Vectors, iterations: int) -> tuple[NDArray[np.int64], float]:
    """Move centres to the means of what is nearest to them until nothing changes; a centre of none stays."""
    assigned = np.full(len(vectors), -1, dtype=np.int64)
    for _ in range(iterations):
        distances = cdist(vectors, centres, "sqeuclidean")
        nearest = distances.argmin(axis=1)
        if (nearest == assigned).all():
            break
        assigned = nearest
        held = np.unique(assigned)
        centres = centres.copy()
        centres[held] = np.stack([vectors[assigned == one].mean(axis=0) for one in held])
    cost = float(np.square(vectors - centres[assigned]).sum())
    return assigned, cost
