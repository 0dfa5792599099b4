from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scribblebench.scribbles.degradation import Degradation, Scene, Strokes, degrade
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.degradations.drop import Drop
from scribblebench.scribbles.degradations.jitter import Jitter
from scribblebench.scribbles.degradations.mislabel import Mislabel
from scribblebench.scribbles.degradations.shrink import Shrink, shrink
from scribblebench.scribbles.degradations.stray import Stray
from scribblebench.scribbles.degradations.thicken import Thicken
from scribblebench.scribbles.degradations.thin import Thin
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.polyline import arc_lengths
from scribblebench.scribbles.stroke import Annotation, Points, Stroke

WIDTH, HEIGHT, CLASSES = 40, 30, 6
rates = st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.5, 1.0])
seeds = st.integers(0, 2**40)
grid_points = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 29).map(float)
)
masks = st.none() | arrays.arrays(np.uint8, (HEIGHT, WIDTH), elements=st.integers(0, CLASSES - 1))


def moving(points: Points) -> Points:
    """Leave out points repeated in a row, as reading does."""
    return points[np.r_[True, (points[1:] != points[:-1]).any(axis=1)]]


polylines = grid_points.map(moving)
strokes_of_an_image = st.lists(st.builds(Stroke, st.integers(0, CLASSES - 1), polylines), max_size=6).map(
    lambda strokes: dict(enumerate(strokes))
)


def scene(mask: np.ndarray | None = None, image: str = "a") -> Scene:
    return Scene(image, WIDTH, HEIGHT, CLASSES, mask)


def equal(one: Strokes, other: Strokes) -> bool:
    return list(one) == list(other) and all(same_stroke(one[i], other[i]) for i in one)


def same_stroke(one: Stroke, other: Stroke) -> bool:
    return one.class_index == other.class_index and np.array_equal(one.points, other.points)


def distance(points: Points, polyline: Points) -> float:
    """Largest distance of points to a polyline, by projection onto each segment."""
    if len(polyline) == 1:
        return float(np.sqrt(((points - polyline) ** 2).sum(axis=1)).max())
    a, d = polyline[:-1], np.diff(polyline, axis=0)
    share = ((points[:, None] - a) * d).sum(axis=2) / (d * d).sum(axis=1)
    feet = a + np.clip(share, 0, 1)[..., None] * d
    return float(np.sqrt(((points[:, None] - feet) ** 2).sum(axis=2)).min(axis=1).max())


# What every degradation promises.


@pytest.mark.parametrize("name", DEGRADATIONS.names())
@settings(max_examples=25)
@given(strokes=strokes_of_an_image, mask=masks, seed=seeds)
def test_rate_zero_changes_nothing(name: str, strokes: Strokes, mask: np.ndarray | None, seed: int) -> None:
    part = DEGRADATIONS.get(name)()
    assert equal(part.strokes(strokes, 0.0, seed, scene(mask)), strokes)
    assert part.pen(Pen(), 0.0) == Pen()


@pytest.mark.parametrize("name", DEGRADATIONS.names())
@settings(max_examples=25)
@given(strokes=strokes_of_an_image, rate=rates, seed=seeds)
def test_a_stroke_fares_the_same_without_the_others(
    name: str, strokes: Strokes, rate: float, seed: int
) -> None:
    part = DEGRADATIONS.get(name)()
    together = part.strokes(strokes, rate, seed, scene())
    for i, stroke in strokes.items():
        alone = part.strokes({i: stroke}, rate, seed, scene())
        assert (i in alone) == (i in together)
        assert all(same_stroke(alone[j], together[j]) for j in alone)


@pytest.mark.parametrize("name", DEGRADATIONS.names())
@settings(max_examples=25)
@given(strokes=strokes_of_an_image, mask=masks, rate=rates, seed=seeds)
def test_strokes_stay_in_the_frame_and_in_order(
    name: str, strokes: Strokes, mask: np.ndarray | None, rate: float, seed: int
) -> None:
    degraded = DEGRADATIONS.get(name)().strokes(strokes, rate, seed, scene(mask))
    assert list(degraded) == [i for i in strokes if i in degraded]
    corner = (WIDTH - 1, HEIGHT - 1)
    assert all(((s.points >= 0) & (s.points <= corner)).all() and len(s.points) for s in degraded.values())


Nested = Callable[[Strokes, Strokes, Strokes], bool]


def unspoilt_is_unspoilt_at_less(source: Strokes, less: Strokes, more: Strokes) -> bool:
    """What a high rate leaves alone so does a lower; what a low rate spoils, a higher spoils alike."""
    return all(
        same_stroke(less[i], source[i]) if same_stroke(more[i], source[i]) else True for i in source
    ) and all(same_stroke(more[i], less[i]) for i in source if not same_stroke(less[i], source[i]))


def parts_of_parts(source: Strokes, less: Strokes, more: Strokes) -> bool:
    return all(distance(more[i].points, less[i].points) < 1e-9 for i in source)


def added_points_do_not_depend_on_the_rate(source: Strokes, less: Strokes, more: Strokes) -> bool:
    return all(len(less[i].points) in (len(more[i].points), len(source[i].points)) for i in source)


NESTED: dict[type[Degradation], Nested] = {
    Drop: lambda _source, less, more: set(more) <= set(less),
    Jitter: added_points_do_not_depend_on_the_rate,
    Mislabel: unspoilt_is_unspoilt_at_less,
    Shrink: parts_of_parts,
    Stray: unspoilt_is_unspoilt_at_less,
    Thicken: lambda _source, less, more: equal(less, more),
    Thin: lambda _source, less, more: equal(less, more),
}


def test_every_degradation_says_how_it_is_nested() -> None:
    assert {part.__name__.lower() for part in NESTED} == set(DEGRADATIONS.names())


@pytest.mark.parametrize("part", NESTED)
@settings(max_examples=50)
@given(strokes=strokes_of_an_image, mask=masks, one=rates, other=rates, seed=seeds)
def test_rates_are_nested(
    part: type[Degradation], strokes: Strokes, mask: np.ndarray | None, one: float, other: float, seed: int
) -> None:
    low, high = sorted((one, other))
    less = part().strokes(strokes, low, seed, scene(mask))
    more = part().strokes(strokes, high, seed, scene(mask))
    assert NESTED[part](strokes, less, more)


# Shrink.


@given(polylines, rates, st.floats(0, 1))
def test_shrinking_keeps_one_minus_the_rate_of_the_arc_length(
    points: Points, rate: float, anchor: float
) -> None:
    kept = shrink(points, rate, anchor)
    assert float(arc_lengths(kept)[-1]) == pytest.approx(
        (1 - rate) * float(arc_lengths(points)[-1]), abs=1e-9
    )
    assert distance(kept, points) < 1e-9


@given(polylines, st.floats(0, 1))
def test_shrinking_by_one_leaves_the_anchor(points: Points, anchor: float) -> None:
    kept = shrink(points, 1.0, anchor)
    assert kept.shape == (1, 2)
    lengths = arc_lengths(points)
    expected = [np.interp(anchor * lengths[-1], lengths, points[:, axis]) for axis in (0, 1)]
    np.testing.assert_allclose(kept[0], expected, atol=1e-9)


def test_the_kept_part_lies_anywhere_or_in_the_middle() -> None:
    line = {i: Stroke(1, np.array([[0.0, 5.0], [30.0, 5.0]])) for i in range(400)}
    random = np.array([s.points[0, 0] for s in Shrink().strokes(line, 0.5, 0, scene()).values()])
    # Uniform over [0, 15]: mean 7.5, standard error 0.22.
    assert abs(random.mean() - 7.5) < 0.9
    assert random.min() < 0.5
    assert random.max() > 14.5
    centre = Shrink(keep="centre").strokes(line, 0.5, 0, scene())
    assert {s.points[0, 0] for s in centre.values()} == {7.5}


# Drop.

HALVES = np.repeat([[1] * 20 + [2] * 20], HEIGHT, axis=0).astype(np.uint8)


@given(strokes=strokes_of_an_image, mask=masks, seed=seeds)
def test_dropping_all_leaves_background_only_or_nothing(
    strokes: Strokes, mask: np.ndarray | None, seed: int
) -> None:
    kept = Drop().strokes(strokes, 1.0, seed, scene(mask))
    assert list(kept) == [i for i, s in strokes.items() if s.class_index == 0]
    assert not Drop(droppable="all").strokes(strokes, 1.0, seed, scene(mask))


def test_an_object_is_dropped_whole() -> None:
    strokes = {i: Stroke(1, np.array([[float(i), 3.0], [float(i), 9.0]])) for i in range(8)}
    fates = {len(Drop().strokes(strokes, 0.5, seed, scene(HALVES))) for seed in range(40)}
    assert fates == {0, 8}
    each = {len(Drop(unit="stroke").strokes(strokes, 0.5, seed, scene(HALVES))) for seed in range(40)}
    assert len(each) > 3
    without_masks = [Drop().strokes(strokes, 0.5, seed, scene()) for seed in range(9)]
    by_stroke = [Drop(unit="stroke").strokes(strokes, 0.5, seed, scene()) for seed in range(9)]
    assert all(equal(a, b) for a, b in zip(without_masks, by_stroke, strict=True))


def test_a_class_is_dropped_whole() -> None:
    strokes = {i: Stroke(1 + i % 2, np.array([[float(i), 3.0]])) for i in range(6)}
    kept = [sorted(Drop(unit="class").strokes(strokes, 0.5, seed, scene())) for seed in range(40)]
    assert {tuple(k) for k in kept} == {(), (0, 2, 4), (1, 3, 5), (0, 1, 2, 3, 4, 5)}


def test_the_share_dropped_is_the_rate() -> None:
    strokes = {i: Stroke(1, np.array([[1.0, 1.0]])) for i in range(4000)}
    for rate in (0.1, 0.3):
        kept = len(Drop(unit="stroke").strokes(strokes, rate, 0, scene())) / 4000
        assert abs(1 - kept - rate) < 4 * np.sqrt(rate * (1 - rate) / 4000)


# The others.


def test_jitter_moves_points_along_a_line_in_proportion_to_the_rate() -> None:
    source = {0: Stroke(1, np.array([[10.0, 15.0], [30.0, 15.0]]))}
    part = Jitter(amplitude=4.0, wavelength=5.0)
    half, full = (part.strokes(source, rate, 3, scene())[0].points for rate in (0.5, 1.0))
    start = np.stack((np.linspace(10, 30, 5), np.full(5, 15.0)), axis=1)
    np.testing.assert_allclose(full - start, 2 * (half - start), atol=1e-12)
    assert 0.5 < np.abs(full - start).max() <= 4


def test_a_stray_stroke_ends_the_reach_outside_its_object() -> None:
    source = {0: Stroke(1, np.array([[5.0, 15.0], [12.0, 15.0]]))}
    ends = set()
    for seed in range(12):
        points = Stray(reach=6.0).strokes(source, 1.0, seed, scene(HALVES))[0].points
        ends |= {tuple(points[0].tolist()), tuple(points[-1].tolist())}
    # To the right it leaves the object at x = 20 and goes 6 further; to the left is the frame.
    assert ends == {(5.0, 15.0), (12.0, 15.0), (25.0, 15.0), (0.0, 15.0)}


@given(strokes=strokes_of_an_image, seed=seeds)
def test_a_wrong_class_is_another_one(strokes: Strokes, seed: int) -> None:
    wrong = Mislabel().strokes(strokes, 1.0, seed, scene())
    assert all(w.class_index != s.class_index for w, s in zip(wrong.values(), strokes.values(), strict=True))
    assert all(0 <= w.class_index < CLASSES for w in wrong.values())
    drawn = {s.class_index for s in strokes.values()}
    within = Mislabel(wrong="image").strokes(strokes, 1.0, seed, scene())
    assert {s.class_index for s in within.values()} <= drawn


def test_thin_and_thick_pens() -> None:
    assert [Thin().pen(Pen(), rate).width for rate in (0, 0.5, 1)] == [3.0, 2.0, 1.0]
    assert [Thicken(thickest=3).pen(Pen(), rate).width for rate in (0, 0.5, 1)] == [3.0, 6.0, 9.0]


def test_degradations_act_one_after_another_on_the_strokes_of_the_source() -> None:
    strokes = tuple(Stroke(1, np.array([[float(i), 0.0], [float(i), 20.0]])) for i in range(8))
    source = Annotation("a", WIDTH, HEIGHT, strokes)
    dropped = degrade(source, ((Drop(unit="stroke"), 0.5),), 0, scene())
    shrunk = degrade(source, ((Shrink(), 0.5),), 0, scene())
    both = degrade(source, ((Drop(unit="stroke"), 0.5), (Shrink(), 0.5)), 0, scene())
    assert 0 < len(dropped) < 8
    assert equal(both, {i: shrunk[i] for i in dropped})
