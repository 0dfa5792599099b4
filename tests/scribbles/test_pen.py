from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.stroke import Annotation, Stroke

WIDTH, HEIGHT = 24, 18
# Finer than the pen's own tie, but no segment as short as a rounding error: that has no direction.
_FINE = 2**12
coordinates = st.integers(-6, 28).map(float) | st.integers(-6 * _FINE, 28 * _FINE).map(lambda i: i / _FINE)
polylines = arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(2)), elements=coordinates)
pens = st.builds(
    Pen,
    width=st.sampled_from([1.0, 2.0, 2.6, 3.0, 5.0, 6.0]),
    joints=st.sampled_from(["disc", "flat"]),
    base=st.sampled_from([0, 1]),
    point=st.sampled_from(["square", "disc", "none"]),
)


def drawn(*strokes: np.ndarray | list[tuple[float, float]], pen: Pen, size: tuple[int, int]) -> np.ndarray:
    given_strokes = tuple(Stroke(i + 1, np.array(s, dtype=np.float64)) for i, s in enumerate(strokes))
    return draw(Annotation("a", *size, given_strokes), pen, ignore_index=0)


def picture(label: np.ndarray) -> list[str]:
    return ["".join(".123456"[value] for value in row) for row in label]


@pytest.mark.parametrize(
    ("pen", "expected"),
    [
        (Pen(), [".......", "111111.", "111111.", "111111.", "...111.", "...111.", "...111."]),
        (Pen(joints="flat"), [".......", ".1111..", ".11111.", ".11111.", "...111.", "...111.", "......."]),
        (Pen(base=1), ["11111..", "11111..", "11111..", "..111..", "..111..", "..111..", "......."]),
        (Pen(width=1), [".......", ".......", ".1111..", "....1..", "....1..", "....1..", "......."]),
        (Pen(width=2), [".......", ".1111..", "11111..", "...11..", "...11..", "...11..", "......."]),
    ],
    ids=["default", "line only (rloss)", "counted from 1 (rloss, MATLAB)", "1 px (GatedCRF)", "even width"],
)
def test_a_bent_line_pixel_by_pixel(pen: Pen, expected: list[str]) -> None:
    label = drawn([(1, 2), (4, 2), (4, 5)], pen=pen, size=(7, 7))
    assert picture(label) == expected


@pytest.mark.parametrize(
    ("pen", "expected"),
    [
        (Pen(), [".....", ".111.", ".111.", ".111.", "....."]),
        (Pen(point="none"), ["....."] * 5),
        (Pen(width=5), ["11111"] * 5),
        (Pen(width=5, point="disc"), [".111.", "11111", "11111", "11111", ".111."]),
        (Pen(width=2), [".....", ".11..", ".11..", ".....", "....."]),
    ],
    ids=["3 x 3 square", "not drawn (rloss)", "5 x 5 square", "disc (GatedCRF, TEL)", "even width"],
)
def test_a_single_point_pixel_by_pixel(pen: Pen, expected: list[str]) -> None:
    assert picture(drawn([(2, 2)], pen=pen, size=(5, 5))) == expected


def test_a_later_stroke_lies_over_an_earlier_one() -> None:
    label = drawn([(0, 2), (6, 2)], [(3, 0), (3, 4)], [(6, 2)], pen=Pen(width=1), size=(7, 5))
    assert picture(label) == ["...2...", "...2...", "1112113", "...2...", "...2..."]


def near(x: float, y: float, a: np.ndarray, b: np.ndarray, pen: Pen) -> bool:
    """Distance of one pixel to one segment, by projection; ties go to the upper left."""
    tie = 2.0**-10
    d, p = b - a, np.array([x, y])
    length = float(d @ d)
    if length == 0:
        return pen.joints == "disc" and float(((p + tie - a) ** 2).sum()) <= (pen.width / 2) ** 2
    if pen.joints == "flat" and not 0 <= float((p - a) @ d) <= length:
        return False
    # Where the foot lies beyond an end, a round end is meant.
    share = float((p + tie - a) @ d) / length
    foot = a + d * (min(max(share, 0.0), 1.0) if pen.joints == "disc" else share)
    return float(((p + tie - foot) ** 2).sum()) <= (pen.width / 2) ** 2 + 1e-9


@given(polylines, pens)
@example(np.array([[3.0, 3.0], [20.0, 11.0]]), Pen(joints="flat"))
def test_drawing_is_the_distance_to_the_stroke(polyline: np.ndarray, pen: Pen) -> None:
    if len(polyline) == 1:
        return
    shifted = polyline - pen.base
    expected = [
        [any(near(x, y, a, b, pen) for a, b in pairwise(shifted)) for x in range(WIDTH)]
        for y in range(HEIGHT)
    ]
    label = drawn(polyline, pen=pen, size=(WIDTH, HEIGHT))
    differing = np.argwhere((label > 0) != np.array(expected))
    # A pixel exactly at the pen's edge may fall on either side of a rounding error.
    for y, x in differing:
        edges = [near(x, y, a, b, msgspec.structs.replace(pen, width=pen.width * (1 + s)))
                 for a, b in pairwise(shifted) for s in (-1e-6, 1e-6)]  # fmt: skip
        assert len(set(edges)) > 1, (x, y)


@given(polylines, st.floats(1, 7), st.floats(1, 7), st.sampled_from(["square", "disc"]))
def test_a_wider_pen_labels_what_a_narrow_one_does(
    polyline: np.ndarray, one: float, other: float, point: str
) -> None:
    narrow, wide = sorted((one, other))
    size = (WIDTH, HEIGHT)
    thin = drawn(polyline, pen=Pen(width=narrow, point=point), size=size)
    assert not ((thin > 0) & (drawn(polyline, pen=Pen(width=wide, point=point), size=size) == 0)).any()


@settings(max_examples=300)
@given(polylines)
def test_whole_coordinates_are_drawn_as_nearly_whole_ones_are(polyline: np.ndarray) -> None:
    whole = np.floor(polyline)
    # The stamps of whole segments and the general way must be one rule.
    label = drawn(whole, pen=Pen(), size=(WIDTH, HEIGHT))
    moved = drawn(whole + 1e-12, pen=Pen(), size=(WIDTH, HEIGHT))
    np.testing.assert_array_equal(label, moved)


def test_it_looks_like_what_pillow_draws() -> None:
    random = np.random.Generator(np.random.PCG64(0))
    ours, theirs = [], []
    for _ in range(20):
        path = np.clip(np.cumsum(random.integers(-9, 10, (12, 2)), axis=0) + 60, 3, 117)
        ours.append(drawn(path, pen=Pen(joints="flat"), size=(120, 120)) > 0)
        image = Image.new("L", (120, 120))
        ImageDraw.Draw(image).line([tuple(p) for p in path.tolist()], fill=1, width=3)
        theirs.append(np.array(image) > 0)
    one, other = np.stack(ours), np.stack(theirs)
    assert (one & other).sum() / (one | other).sum() > 0.85
