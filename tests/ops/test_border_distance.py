"""Background evidence on pictures whose background is known."""

from __future__ import annotations

import numpy as np

from scribblebench.ops.border_distance import centre_prior, geodesic_saliency


def test_what_is_enclosed_is_far_from_the_border() -> None:
    draw = np.random.default_rng(0)
    picture = np.full((60, 80, 3), (40, 120, 60), dtype=np.int64)
    inside = np.zeros((60, 80), dtype=bool)
    inside[20:40, 10:30] = True
    picture[inside] = (210, 60, 50)
    picture = (picture + draw.integers(-3, 4, picture.shape)).astype(np.uint8)
    saliency = geodesic_saliency(picture)
    assert saliency[inside].mean() > 0.8
    assert saliency[~inside].mean() < 0.15
    # Away from the centre, where the prior alone does not know it.
    assert saliency[30, 12] > 5 * saliency[30, 55]
    assert centre_prior(60, 80)[30, 12] < centre_prior(60, 80)[30, 55]


def test_one_colour_is_all_background() -> None:
    assert (geodesic_saliency(np.full((9, 7, 3), 90, dtype=np.uint8)) < 1e-2).all()
