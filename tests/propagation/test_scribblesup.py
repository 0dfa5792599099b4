"""ScribbleSup's terms, each where it alone decides."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2gray

from scribblebench.core.errors import UserError
from scribblebench.ops.superpixels import neighbours
from scribblebench.propagation import PROPAGATIONS
from scribblebench.propagation.scribblesup import ScribbleSup

IGNORE = 255
RED, BLUE = (200, 60, 40), (30, 90, 180)


def halves(boundary: int, height: int = 60, width: int = 80) -> np.ndarray:
    """A red and a blue part, a little noisy; the boundary is at a column."""
    noise = np.random.default_rng(0).integers(-8, 9, (height, width, 3))
    columns = np.arange(width)[None, :, None]
    return (np.where(columns < boundary, RED, BLUE) + noise).astype(np.uint8)


def ends(height: int = 60, width: int = 80) -> np.ndarray:
    """Class 0 along the left side, class 2 along the right one."""
    strokes = np.full((height, width), IGNORE, dtype=np.uint8)
    strokes[:, :3], strokes[:, -3:] = 0, 2
    return strokes


@pytest.mark.parametrize("boundary", [20, 60])
def test_colours_decide_under_the_default_histograms(boundary: int) -> None:
    """The shortest cut would be anywhere: colours alone say where."""
    labels = ScribbleSup(segments=120)(halves(boundary), ends(), IGNORE, None)
    expected = np.where(np.arange(80) < boundary, 0, 2)
    assert (labels == expected).mean() > 0.97


def test_what_histograms_sum_to_decides_what_neighbours_cost() -> None:
    picture = halves(40)
    for total, least in ((1.0, 0.75), (10.0, 0.0), (100.0, 0.0)):
        part = ScribbleSup(segments=120, total=total)
        superpixels = part._superpixels(picture)
        edges = neighbours(superpixels)
        alike = part._alike(picture, superpixels, edges)
        red = np.bincount(superpixels.ravel(), picture[..., 0].ravel()) / np.bincount(superpixels.ravel())
        across = np.abs(red[edges[:, 0]] - red[edges[:, 1]]) > 100
        assert across.any()
        assert least <= alike.min()
        # As frequencies hardly anything matters; else a boundary is cheap, and percent makes all cheap.
        assert (alike[across].max() < 0.01) == (total > 1)
        assert (np.median(alike[~across]) > 0.5) == (total < 100)


def test_pairs_cost_what_the_formula_says() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    superpixels = np.repeat([[0] * 4 + [1] * 6], 8, axis=0)
    exponent = 0.0
    colours = [(channel, (0, 256)) for channel in np.moveaxis(picture, 2, 0)]
    slopes = [(slope, (slope.min(), slope.max())) for slope in np.gradient(rgb2gray(picture))]
    for maps, bins, width in ((colours, 7, 4.0), (slopes, 3, 5.0)):
        for values, limits in maps:
            one, other = (
                np.histogram(values[superpixels == k], bins, limits)[0] / (superpixels == k).sum() * 6
                for k in (0, 1)
            )
            exponent -= ((one - other) ** 2).sum() / width**2
    part = ScribbleSup(total=6.0, colour=4.0, gradient=5.0, colour_bins=7, gradient_bins=3)
    found = part._alike(picture, superpixels, np.array([[0, 1]]))
    np.testing.assert_allclose(found, np.exp(exponent))


def test_a_superpixel_of_two_classes_takes_one_of_them() -> None:
    picture = np.full((6, 6, 3), 100, dtype=np.uint8)
    strokes = np.full((6, 6), IGNORE, dtype=np.uint8)
    strokes[0, 0], strokes[0, 5], strokes[5, 5] = 1, 3, 3
    labels = ScribbleSup(segments=1)(picture, strokes, IGNORE, None)
    assert set(np.unique(np.delete(labels.ravel(), [0, 5, 35]))) in ({1}, {3})
    assert labels[0, 0] == 1


def test_the_network_decides_where_it_is_sure_and_strokes_outweigh_it() -> None:
    picture, strokes = halves(20), ends()
    share = np.where(np.arange(80) < 50, 0.9, 0.1) * np.ones((60, 1))
    probabilities = np.stack([share, np.zeros_like(share), 1 - share]).astype(np.float32)
    labels = ScribbleSup(segments=120)(picture, strokes, IGNORE, probabilities)
    assert (labels == np.where(np.arange(80) < 50, 0, 2)).mean() > 0.95
    wrong = probabilities[::-1].copy()
    labels = ScribbleSup(segments=120)(picture, strokes, IGNORE, wrong)
    assert np.array_equal(labels[:, :3], strokes[:, :3])
    assert (labels[:, 10:40] == 2).mean() > 0.95


def test_a_class_without_a_stroke_is_never_taken() -> None:
    probabilities = np.zeros((3, 60, 80), dtype=np.float32)
    probabilities[1] = 1.0
    labels = ScribbleSup(segments=120)(halves(40), ends(), IGNORE, probabilities)
    assert set(np.unique(labels)) == {0, 2}


def test_single_pixels_are_strokes_too() -> None:
    strokes = np.full((60, 80), IGNORE, dtype=np.uint8)
    strokes[30, 5], strokes[30, 75] = 0, 2
    labels = ScribbleSup(segments=120)(halves(40), strokes, IGNORE, None)
    assert labels[30, 5] == 0
    assert labels[30, 75] == 2


@pytest.mark.parametrize("bad", [{"segments": 0}, {"total": 0.0}, {"floor": 1.0}, {"colours": 1}])
def test_bad_options_are_named(bad: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(bad))):
        PROPAGATIONS.build("scribblesup", bad, "card.yaml")
