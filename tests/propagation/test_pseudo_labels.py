"""Pseudo-labels by hand on two pixels and more."""

from __future__ import annotations

import numpy as np
import pytest

from scribblebench.core.errors import UserError
from scribblebench.propagation.pseudo_labels import PseudoLabels

PICTURE = np.zeros((1, 4, 3), dtype=np.uint8)
STROKES = np.array([[2, 255, 255, 0]], dtype=np.uint8)
# Classes in rows, pixels in columns.
PROBABILITIES = np.array(
    [[0.1, 0.3, 0.2, 0.1], [0.8, 0.5, 0.4, 0.8], [0.1, 0.2, 0.4, 0.1]], dtype=np.float32
)[:, None]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"present": False}, [2, 1, 1, 0]),  # strokes keep their class; of equals the first
        ({}, [2, 0, 2, 0]),  # class 1 has no stroke: 0.3 against 0.2, 0.2 against 0.4
        ({"threshold": 0.62}, [2, 255, 2, 0]),  # 0.6 and 0.67 once class 1 has gone
        ({"present": False, "threshold": 0.45}, [2, 1, 255, 0]),
    ],
)
def test_labels_by_hand(options: dict[str, object], expected: list[int]) -> None:
    made = PseudoLabels(**options)(PICTURE, STROKES, 255, PROBABILITIES)
    assert made.dtype == np.uint8
    assert made.tolist() == [expected]


def test_an_image_without_strokes_says_nothing_where_only_present_classes_count() -> None:
    bare = np.full_like(STROKES, 255)
    for crf in ("none", "urss"):
        assert (PseudoLabels(crf=crf)(PICTURE, bare, 255, PROBABILITIES) == 255).all()
    assert (PseudoLabels(present=False)(PICTURE, bare, 255, PROBABILITIES) == [1, 1, 1, 1]).all()


def test_the_crf_smooths_what_the_network_says() -> None:
    rng = np.random.default_rng(0)
    picture = np.zeros((24, 24, 3), dtype=np.uint8)
    picture[:, 12:] = 200
    truth = (picture[..., 0] > 0).astype(np.uint8)
    noisy = np.where(rng.random((24, 24)) < 0.15, 1 - truth, truth)
    probabilities = np.where(np.arange(2)[:, None, None] == noisy, 0.7, 0.3).astype(np.float32)
    strokes = np.full((24, 24), 255, dtype=np.uint8)
    plain, smooth = (
        (PseudoLabels(crf=crf, present=False)(picture, strokes, 255, probabilities) != truth).mean()
        for crf in ("none", "urss")
    )
    assert plain > 0.1
    assert smooth < 0.02


def test_there_is_nothing_to_say_before_the_network_is_trained() -> None:
    assert PseudoLabels().needs_predictions()
    with pytest.raises(UserError, match="first stage"):
        PseudoLabels()(PICTURE, STROKES, 255, None)
