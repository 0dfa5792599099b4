"""Label maps of boxes by hand: order, middles, votes, resets; a disc cut out by colour."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from propagation.test_contract import OF_MARKS
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.propagation import PROPAGATIONS, Seen
from scribblebench.propagation.box_labels import BoxLabels
from scribblebench.propagation.box_recursion import BoxRecursion
from scribblebench.propagation.grab_cut import GrabCut, cut_out
from scribblebench.scribbles.mark import Mark, box
from scribblebench.supervision import Targets
from scribblebench.supervision.boxes import filled
from scribblebench.training.fits import check_method

IGNORE, CLASSES = 255, 4
needs_opencv = pytest.mark.skipif(find_spec("cv2") is None, reason="the extra boxes is not installed")


def seen(
    *marks: Mark, size: tuple[int, int] = (40, 30), picture: np.ndarray | None = None, sure: int | None = None
) -> Seen:
    """An image with boxes; predictions, where asked for, are one class everywhere."""
    tags = np.isin(np.arange(CLASSES), [0, *(mark.class_index for mark in marks)])
    picture = np.full((*size[::-1], 3), 90, dtype=np.uint8) if picture is None else picture
    targets = Targets(filled(marks, size), tags, marks)
    probabilities = None
    if sure is not None:
        probabilities = np.full((CLASSES, *size[::-1]), 0.1, dtype=np.float32)
        probabilities[sure] = 0.7
    return Seen("image", picture, targets, IGNORE, probabilities)


def disc(height: int = 90, width: int = 110) -> tuple[np.ndarray, np.ndarray, Mark]:
    """A noisy disc of one colour on another, its pixels, and its box."""
    y, x = np.mgrid[:height, :width]
    inside = (y - 45) ** 2 + (x - 60) ** 2 <= 25**2
    picture = np.where(inside[..., None], [210, 80, 40], [40, 90, 160])
    picture = picture + np.random.default_rng(0).integers(-15, 16, picture.shape)
    return picture.astype(np.uint8), inside, box(2, 35, 20, 85, 70)


def test_whole_boxes_are_filled_the_smaller_in_front() -> None:
    large, small = box(1, 2, 3, 30, 25), box(3, 10, 10, 15, 12)
    for marks in ((large, small), (small, large)):
        labels = BoxLabels().spread(seen(*marks))
        assert (labels == 3).sum() == 6 * 3
        assert (labels == 1).sum() == 29 * 23 - 18
        assert (labels == 0).sum() == 40 * 30 - 29 * 23


def test_middles_are_a_fifth_of_each_box() -> None:
    labels = BoxLabels(whole=False).spread(seen(box(1, 0, 0, 39, 29)))
    assert (labels == 1).mean() == pytest.approx(0.2, abs=0.01)
    rows, columns = np.nonzero(labels == 1)
    assert abs(rows.mean() - 14.5) <= 0.5
    assert abs(columns.mean() - 19.5) <= 0.5
    assert set(np.unique(labels)) == {1, IGNORE}
    # A small box in front ignores what the large one says there.
    both = BoxLabels(whole=False).spread(seen(box(1, 0, 0, 39, 29), box(3, 15, 10, 24, 19)))
    assert (both[10:20, 15:25] != 1).all()


def test_resets_of_the_recursion() -> None:
    mark = box(2, 5, 5, 24, 24)
    part = BoxRecursion(crf="none")
    # Outside of the box, and of another class inside: background; too little of its own: the box again.
    assert np.array_equal(part.spread(seen(mark, sure=2)), filled((mark,), (40, 30)))
    assert np.array_equal(part.spread(seen(mark, sure=1)), filled((mark,), (40, 30)))
    for rows, kept in ((9, False), (10, True)):
        half = seen(mark, sure=0)
        assert half.probabilities is not None
        half.probabilities[2, 5 : 5 + rows, 5:25] = 0.9
        labels = part.spread(half)
        assert ((labels == 2).sum() == 20 * rows) == kept
        assert (labels == 2).sum() == (20 * rows if kept else 400)
    inner = BoxRecursion(crf="none", whole=False).spread(seen(mark, sure=0))
    assert np.array_equal(inner, BoxLabels(whole=False).spread(seen(mark)))
    with pytest.raises(UserError, match="needs predictions"):
        part.spread(seen(mark))


@needs_opencv
def test_a_disc_is_cut_out_and_votes_agree_on_it() -> None:
    picture, inside, mark = disc()
    found = cut_out(picture, mark, 5, seed=1)
    assert (found & inside).sum() / (found | inside).sum() > 0.98
    one, many = (GrabCut(runs=runs).spread(seen(mark, size=(110, 90), picture=picture)) for runs in (1, 4))
    assert np.array_equal(one == 2, found)
    # Shaken boxes cut off some of the rim, so that not all agree on it; nothing else is lost.
    assert (inside[many == 2]).all()
    assert (inside[many == IGNORE]).all()
    assert (many == 2).sum() > 0.97 * inside.sum()


@needs_opencv
def test_the_same_cut_again_whatever_was_cut_before() -> None:
    noise = np.random.default_rng(1).normal(0, 50, (90, 110, 3))
    picture = (disc()[0] + noise).clip(0, 255).astype(np.uint8)
    given = (box(1, 30, 15, 80, 75), box(2, 55, 30, 100, 80))
    part = GrabCut(runs=3)
    first = part.spread(seen(*given, size=(110, 90), picture=picture))
    part.spread(seen(given[1], size=(110, 90), picture=picture))
    assert np.array_equal(first, part.spread(seen(*given, size=(110, 90), picture=picture)))
    assert set(np.unique(first)) == {0, 1, 2, IGNORE}


@needs_opencv
def test_a_failed_cut_fills_its_box() -> None:
    """In one colour there is nothing to cut."""
    labels = GrabCut().spread(seen(box(1, 5, 5, 25, 20)))
    assert np.array_equal(labels, filled((box(1, 5, 5, 25, 20),), (40, 30)))


@needs_opencv
@settings(deadline=None, max_examples=15)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 100))
@pytest.mark.parametrize("name", sorted(OF_MARKS))
def test_tiny_pictures(name: str, height: int, width: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    left, right = np.sort(draw.integers(0, width, 2))
    top, bottom = np.sort(draw.integers(0, height, 2))
    marks = (box(1, left, top, right, bottom), box(2, 0, 0, width - 1, height - 1))
    picture = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
    one = seen(*marks, size=(width, height), picture=picture, sure=1)
    for options in OF_MARKS[name]:
        labels = PROPAGATIONS.build(name, options, "tiny").spread(one)
        assert labels.dtype == np.uint8
        assert set(np.unique(labels)) <= {0, 1, 2, IGNORE}


@needs_opencv
@pytest.mark.parametrize("name", sorted(OF_MARKS))
def test_no_box_is_background_and_sizes_must_agree(name: str) -> None:
    part = PROPAGATIONS.build(name, {}, "test")
    assert (part.spread(seen(sure=1)) == 0).all()
    with pytest.raises(UserError, match="picture of"):
        part.spread(seen(picture=np.zeros((5, 5, 3), dtype=np.uint8), sure=1))


def test_without_opencv_nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    library = Library()
    with pytest.raises(UserError, match=r"pip install 'scribblebench\[boxes\]'"):
        check_method(library.method("sdi"), library.protocol("toy"))
    check_method(library.method("sdi-box"), library.protocol("toy"))
