"""How far a pixel is from the picture's border, in place or in colour: background evidence without learning.

Geodesic saliency: Wei et al., "Geodesic Saliency Using Background Priors", ECCV 2012.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from skimage.color import rgb2lab
from skimage.segmentation import slic

from scribblebench.ops.superpixels import neighbours

Map = NDArray[np.float64]


def centre_prior(height: int, width: int) -> Map:
    """Distance of each pixel to the nearest side, 1 a quarter of the shorter side away and beyond.

    >>> centre_prior(8, 5)[4].tolist()
    [0.0, 0.8, 1.0, 0.8, 0.0]
    """
    rows, columns = (np.minimum(np.arange(side), side - 1 - np.arange(side)) for side in (height, width))
    return np.minimum(1.0, np.minimum.outer(rows, columns) / (0.25 * min(height, width)))


def geodesic_saliency(picture: NDArray[np.uint8], segments: int = 300) -> Map:
    """Length of the shortest path over superpixels to the border; a step costs the difference in CIELAB.

    Args:
        picture: RGB, (h, w, 3).
        segments: superpixels asked of SLIC.

    Returns:
        (h, w) in [0, 1], the largest 1 unless all are 0.
    """
    height, width = picture.shape[:2]
    found = slic(picture, min(segments, height * width), 10.0, start_label=0, enforce_connectivity=True)
    superpixels = np.unique(found, return_inverse=True)[1].reshape(height, width)
    flat, count = superpixels.ravel(), int(superpixels.max()) + 1
    colours = rgb2lab(picture).reshape(-1, 3)
    means = (
        np.stack([np.bincount(flat, channel) for channel in colours.T], axis=1) / np.bincount(flat)[:, None]
    )
    one, other = neighbours(superpixels).T
    # An edge of length 0 would be none.
    steps = np.linalg.norm(means[one] - means[other], axis=1) + 1e-9
    graph = sparse.csr_array(sparse.coo_array((steps, (one, other)), (count, count)))
    edge = np.zeros((height, width), dtype=bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    far = dijkstra(graph, directed=False, indices=np.unique(superpixels[edge]), min_only=True)
    saliency: Map = (far / max(far.max(), 1e-6))[superpixels]
    return saliency
