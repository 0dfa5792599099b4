"""Deep seeded region growing (DSRG, Huang et al., CVPR 2018): seeds take in what they touch and is likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

_EIGHT = np.ones((3, 3), dtype=np.int64)


def grow(
    seeds: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    present: NDArray[np.bool_],
    ignore_index: int,
    foreground: float = 0.85,
    background: float = 0.99,
) -> NDArray[np.int64]:
    """Grow the seeds of one image.

    A cell may be taken in by its likeliest class among the present ones if that is likelier than the class's
    threshold and no other class has its seed there. Of each class, the 8-connected regions of such cells and
    of its seeds that hold a seed become seeds.

    >>> seeds = np.array([[1, 255, 255, 255]])
    >>> sure = np.array([[[0.5, 0.1, 0.1, 0.9]], [[0.5, 0.9, 0.9, 0.1]]])
    >>> grow(seeds, sure, np.array([True, True]), 255).tolist()
    [[1, 1, 1, 255]]

    Args:
        seeds: classes or the ignore index, (h, w).
        probabilities: (classes, h, w).
        present: the image's tags and the background, (classes,).
        ignore_index: of cells without a seed.
        foreground: threshold of the classes.
        background: threshold of class 0.

    Returns:
        The seeds and what they took in, (h, w).
    """
    allowed = np.where(present[:, None, None], probabilities, -1.0)
    best = allowed.argmax(axis=0)
    sure = allowed.max(axis=0) > np.where(best == 0, background, foreground)
    grown = seeds.copy()
    for index in np.unique(seeds[seeds != ignore_index]):
        own = seeds == index
        regions, _ = label(own | (sure & (best == index) & (seeds == ignore_index)), _EIGHT)
        grown[np.isin(regions, np.unique(regions[own]))] = index
    return grown
