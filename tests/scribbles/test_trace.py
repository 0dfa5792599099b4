"""Tracing: PIL draws, we trace, PIL draws again."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.stroke import Annotation, Stroke
from scribblebench.scribbles.trace import trace

SIDE = 120


def drawn(*lines: list[tuple[float, float]], side: int = SIDE, width: int = 3, label: int = 7) -> np.ndarray:
    image = Image.new("L", (side, side), 255)
    for line in lines:
        ImageDraw.Draw(image).line(line, fill=label, width=width, joint="curve")
    return np.array(image)


def redrawn(strokes: tuple[Stroke, ...], shape: tuple[int, int]) -> np.ndarray:
    return draw(Annotation("a", shape[1], shape[0], strokes))


def coverage(labels: np.ndarray, other: np.ndarray, within: float) -> float:
    """Share of the labelled pixels of one map that have one of the same class in the other nearby."""
    hits = 0
    for value in set(np.unique(labels).tolist()) - {255}:
        tree = cKDTree(np.argwhere(other == value)) if (other == value).any() else None
        if tree is not None:
            hits += int((tree.query(np.argwhere(labels == value))[0] <= within).sum())
    return hits / np.count_nonzero(labels != 255)


def circle(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turns = np.linspace(0, 2 * np.pi, 60)
    return [(x + radius * np.cos(t), y + radius * np.sin(t)) for t in turns]


SHAPES = {
    "line": ([[(10, 10), (100, 60)]], 1),
    "corner": ([[(10, 10), (100, 10), (100, 100)]], 1),
    "cross": ([[(10, 10), (110, 110)], [(10, 110), (110, 10)]], 2),
    "narrow cross": ([[(10, 45), (110, 75)], [(10, 75), (110, 45)]], 2),
    "tee": ([[(10, 20), (110, 20)], [(60, 20), (60, 100)]], 2),
    "star": ([[(10, 60), (110, 60)], [(60, 10), (60, 110)], [(20, 20), (100, 100)]], 3),
    "ring": ([circle(60, 60, 30)], 1),
    "ring on a stick": ([circle(60, 40, 25), [(60, 65), (60, 110)]], 2),
    "one stroke that crosses itself": ([[(20, 100), (90, 30), (90, 90), (20, 20)]], 1),
    "dot": ([[(60, 60), (60, 60)]], 1),
    "along the border": ([[(0, 119), (119, 119)]], 1),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_traced_to_the_strokes_it_was_drawn_with(name: str) -> None:
    lines, count = SHAPES[name]
    labels = drawn(*lines)
    strokes = trace(labels)
    assert [s.class_index for s in strokes] == [7] * (2 if name == "ring on a stick" else count)
    again = redrawn(strokes, labels.shape)
    assert coverage(labels, again, within=2) > 0.99
    assert coverage(again, labels, within=2) > 0.99


def test_crossing_strokes_go_straight_on() -> None:
    ends = {
        tuple(sorted((tuple(s.points[0].round(-1)), tuple(s.points[-1].round(-1)))))
        for s in trace(drawn([(10, 40), (110, 80)], [(10, 80), (110, 40)]))
    }
    assert ends == {((10, 40), (110, 80)), ((10, 80), (110, 40))}


def test_a_straight_line_needs_two_points() -> None:
    assert [len(s.points) for s in trace(drawn([(10, 60), (100, 60)]))] == [2]


def test_classes_are_kept_apart_and_the_ignored_one_is_left_out() -> None:
    labels = drawn([(10, 10), (110, 10)], label=0)
    labels[50:53, 10:60] = 3
    labels[50:53, 60:110] = 4
    assert [s.class_index for s in trace(labels)] == [0, 3, 4]
    assert [s.class_index for s in trace(labels, ignore_index=0)][:2] == [3, 4]
    assert trace(np.full((5, 5), 255, np.uint8)) == ()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(-5, 65), st.integers(-5, 65)), min_size=1, max_size=5),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 5),
)
def test_whatever_is_drawn_is_covered_by_what_is_traced(
    lines: list[list[tuple[int, int]]], width: int
) -> None:
    labels = drawn(*(line for line in lines if len(line) > 1), side=60, width=width)
    strokes = trace(labels)
    points = np.concatenate([s.points for s in strokes]) if strokes else np.zeros((0, 2))
    assert np.all((points >= 0) & (points <= 59))
    if (labels != 255).any():
        # Scrawls may fill an area, which a skeleton cannot cover; each labelled part keeps a stroke.
        assert coverage(redrawn(strokes, labels.shape), labels, within=2.5) > 0.9


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
@example(15)  # a blot that is all junction
@example(171)
def test_every_blot_is_traced_and_nothing_beside_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    field = gaussian_filter(random.standard_normal((40, 40)), random.uniform(0, 2.5))
    labels = np.where(field > np.quantile(field, random.uniform(0.2, 0.95)), 1, 255).astype(np.uint8)
    blots, count = ndimage.label(labels == 1, np.ones((3, 3)))
    found = set()
    for stroke in trace(labels):
        x, y = np.rint(stroke.points).astype(int).T
        near = [blots[max(0, b - 1) : b + 2, max(0, a - 1) : a + 2] for a, b in zip(x, y, strict=True)]
        assert all(patch.any() for patch in near)
        found |= {int(v) for patch in near for v in patch.ravel()}
    assert found - {0} == set(range(1, count + 1))


@pytest.mark.parametrize(("image", "strokes"), [("2007_000032", 5), ("2007_000033", 5)])
def test_human_strokes_are_found_again(shared: Path, image: str, strokes: int) -> None:
    path = shared / "scribblesup-sample" / "pascal_2012_scribble" / f"{image}.png"
    labels = np.array(Image.open(path))
    traced = trace(labels)
    assert len(traced) == strokes
    again = redrawn(traced, labels.shape)
    assert coverage(labels, again, within=2) >= 0.95
    assert np.count_nonzero((again != 255) & (again != labels)) < 0.05 * np.count_nonzero(labels != 255)
