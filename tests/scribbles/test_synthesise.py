"""Strokes from masks: inside their class, one a component, different by seed and fixed by it."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.measure import label, regionprops

from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.stroke import Annotation, Stroke, same
from scribblebench.scribbles.synthesise import synthesise


def annotation(mask: np.ndarray, strokes: tuple[Stroke, ...]) -> Annotation:
    return Annotation("a", mask.shape[1], mask.shape[0], strokes)


def roomy_components(mask: np.ndarray) -> list[set[tuple[int, ...]]]:
    """Pixels (y, x) of each component of at least 60 pixels that holds a whole 3 x 3 block."""
    labels = label(mask.astype(int), connectivity=2, background=255)
    blocks = np.lib.stride_tricks.sliding_window_view(np.pad(labels, 1, mode="edge"), (3, 3))
    whole = (blocks == labels[:, :, None, None]).all(axis=(2, 3))
    regions = regionprops(labels)
    return [
        set(map(tuple, r.coords.tolist())) for r in regions if r.area >= 60 and whole[tuple(r.coords.T)].any()
    ]


def blobs(seed: int, side: int = 64) -> np.ndarray:
    """A random mask of three classes and void, with components of every size."""
    random = np.random.default_rng(seed)
    fields = [gaussian_filter(random.standard_normal((side, side)), random.uniform(1, 8)) for _ in range(4)]
    best = np.argmax([f / f.std() for f in fields], axis=0).astype(np.uint8)
    return np.where(best == 3, 255, best).astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_pixel_lies_outside_its_class_and_every_roomy_component_has_one_stroke(seed: int) -> None:
    mask = blobs(seed)
    strokes = synthesise(mask, "a", seed=0)
    drawn = draw(annotation(mask, strokes))
    assert np.array_equal(drawn[drawn != 255], mask[drawn != 255])
    starts = [tuple(s.points[0].astype(int)[::-1]) for s in strokes]
    wanted = roomy_components(mask)
    assert [sum(start in pixels for start in starts) for pixels in wanted] == [1] * len(wanted)
    assert len(strokes) == len(wanted)


def test_coordinates_are_whole_pixels_of_the_image() -> None:
    points = np.concatenate([s.points for s in synthesise(blobs(3), "a", seed=0)])
    assert np.array_equal(points, np.rint(points))
    assert points.min() >= 0
    assert points.max() <= 63


def test_a_seed_fixes_the_strokes_and_another_gives_others() -> None:
    mask = blobs(5)
    one, again, other = (annotation(mask, synthesise(mask, "a", seed)) for seed in (0, 0, 1))
    assert same(one, again)
    assert not same(one, other)
    assert not same(one, annotation(mask, synthesise(mask, "b", 0)))


def test_a_stroke_does_not_depend_on_the_other_components() -> None:
    mask = np.zeros((80, 80), np.uint8)
    mask[50:75, 10:70] = 2
    alone = [s for s in synthesise(mask, "a", 0) if s.class_index == 2]
    mask[5:30, 10:70] = 2
    both = [s for s in synthesise(mask, "a", 0) if s.class_index == 2]
    assert len(both) == 2
    assert np.array_equal(alone[0].points, both[1].points)


def test_strokes_of_many_seeds_spread_over_the_body() -> None:
    mask = np.full((100, 100), 255, np.uint8)
    mask[20:80, 10:90] = 1
    seen = np.zeros(mask.shape, bool)
    shares = []
    for seed in range(12):
        drawn = draw(annotation(mask, synthesise(mask, "a", seed))) == 1
        seen |= drawn
        shares.append(np.count_nonzero(drawn))
    assert np.count_nonzero(seen) > 3 * np.mean(shares)


def test_a_long_body_is_drawn_along() -> None:
    mask = np.zeros((60, 300), np.uint8)
    mask[25:37, 10:290] = 4
    (stroke,) = [s for s in synthesise(mask, "a", 0) if s.class_index == 4]
    assert np.ptp(stroke.points[:, 0]) > 0.5 * 280


def test_the_border_of_the_image_is_no_edge_of_an_object() -> None:
    mask = np.full((40, 60), 255, np.uint8)
    mask[38:, :] = 1
    (stroke,) = synthesise(mask, "a", 0)
    assert stroke.points[:, 1].min() >= 38


@pytest.mark.parametrize("width", [1.0, 5.0])
def test_another_pen_keeps_inside_too(width: float) -> None:
    mask, pen = blobs(9), Pen(width=width, base=1)
    strokes = synthesise(mask, "a", 0, pen=pen)
    drawn = draw(annotation(mask, strokes), pen)
    assert strokes
    assert np.array_equal(drawn[drawn != 255], mask[drawn != 255])


def test_slivers_and_specks_get_none() -> None:
    mask = np.full((40, 100), 255, np.uint8)
    mask[10:12, :] = 1
    mask[30:37, 10:17] = 2
    assert synthesise(mask, "a", 0) == ()
    assert [s.class_index for s in synthesise(mask, "a", 0, min_area=49)] == [2]


def test_real_masks(voc_mini: Path) -> None:
    paths = sorted((voc_mini / "SegmentationClassAug").glob("*.png"))[::60]
    for path in paths:
        mask = np.array(Image.open(path))
        drawn = draw(annotation(mask, synthesise(mask, path.stem, 0)))
        assert np.array_equal(drawn[drawn != 255], mask[drawn != 255])
        assert 0.003 < np.mean(drawn != 255) < 0.08
