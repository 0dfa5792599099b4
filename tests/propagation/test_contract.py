"""What every registered propagation owes. A new one needs an entry in ``CONTRACTS``, no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scribblebench.core.errors import UserError
from scribblebench.propagation import PROPAGATIONS, Propagation
from scribblebench.propagation._class_maps import ClassMaps

# Name -> options to try.
CONTRACTS: dict[str, list[dict[str, Any]]] = {
    "scribblesup": [{}, {"segments": 60, "total": 1.0}],
    "pseudo_labels": [{}, {"crf": "urss", "threshold": 0.5}],
    "class_activations": [{}, {"powers": [4], "crf": "urss", "saliency": "geodesic"}],
    "affinity_walk": [{}, {"crf": "urss"}],
    "random_activations": [{}],
}
# The same of those that work with marks alone: their tests are elsewhere.
OF_MARKS: dict[str, list[dict[str, Any]]] = {
    "box_labels": [{}, {"whole": False}],
    "box_recursion": [{}, {"crf": "none", "whole": False}],
    "grab_cut": [{"runs": 2}],
}
CASES = [(name, options) for name, tries in CONTRACTS.items() for options in tries]
IGNORE, CLASSES = 255, 5


def scene(height: int = 40, width: int = 52, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A noisy picture of two colours, a stroke of class 1 and one of class 4, and probabilities."""
    draw = np.random.default_rng(seed)
    left = np.arange(width) < width // 2
    picture = np.where(left[None, :, None], [200, 60, 40], [30, 90, 180])
    picture = (picture + draw.integers(-20, 21, (height, width, 3))).clip(0, 255).astype(np.uint8)
    strokes = np.full((height, width), IGNORE, dtype=np.uint8)
    strokes[height // 2, : width // 4], strokes[height // 3, -(width // 4) :] = 1, 4
    probabilities = draw.dirichlet(np.ones(CLASSES), (height, width)).transpose(2, 0, 1)
    return picture, strokes, probabilities.astype(np.float32)


def givens(part: Propagation, probabilities: np.ndarray, strokes: np.ndarray) -> list[np.ndarray | None]:
    """List the predictions that a propagation can be given: none too, where it can do without.

    What makes class maps of its own makes them of the image's classes alone.
    """
    if isinstance(part, ClassMaps):
        there = np.isin(np.arange(len(probabilities)), strokes)
        return [np.where(there[:, None, None], probabilities, 0)]
    return [probabilities] if part.needs_predictions() else [None, probabilities]


def allowed(part: Propagation, *classes: int) -> set[int]:
    """Say which labels a part may give; tags leave the background for it to find."""
    return {*classes, IGNORE} | ({0} if isinstance(part, ClassMaps) else set())


def test_every_registered_propagation_has_a_contract() -> None:
    assert {*CONTRACTS, *OF_MARKS} == set(PROPAGATIONS.names())
    assert all("strokes" not in PROPAGATIONS.get(name).works_with for name in OF_MARKS)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def spread(request: pytest.FixtureRequest) -> Propagation:
    return PROPAGATIONS.build(*request.param, "contract")


@pytest.mark.parametrize("which", [0, -1])
def test_labels_are_those_of_the_strokes_and_the_inputs_are_left_alone(
    spread: Propagation, which: int
) -> None:
    picture, strokes, given_probabilities = scene()
    probabilities = givens(spread, given_probabilities, strokes)[which]
    copies = [part.copy() for part in (picture, strokes, given_probabilities)]
    labels = spread(picture, strokes, IGNORE, probabilities)
    assert labels.dtype == np.uint8
    assert labels.shape == strokes.shape
    assert np.array_equal(labels[strokes != IGNORE], strokes[strokes != IGNORE])
    assert set(np.unique(labels)) <= allowed(spread, 1, 4)
    assert (labels != IGNORE).sum() > (strokes != IGNORE).sum()
    assert np.array_equal(labels, spread(picture, strokes, IGNORE, probabilities)), "equal in, equal out"
    for before, now in zip(copies, (picture, strokes, given_probabilities), strict=True):
        assert np.array_equal(before, now)
    # Nothing is in memory that it could answer from.
    other = np.where(strokes == IGNORE, 254, strokes).astype(np.uint8)
    assert np.array_equal(spread(picture, other, 254, probabilities), np.where(labels == 255, 254, labels))


def test_without_strokes_nothing_is_said(spread: Propagation) -> None:
    picture, strokes, probabilities = scene()
    strokes[:] = IGNORE
    for given_probabilities in givens(spread, probabilities, strokes):
        assert (spread(picture, strokes, IGNORE, given_probabilities) == IGNORE).all()


def test_one_class_is_the_only_one(spread: Propagation) -> None:
    picture, strokes, probabilities = scene()
    strokes[strokes == 4] = 1
    probabilities = givens(spread, probabilities, strokes)[-1]
    assert set(np.unique(spread(picture, strokes, IGNORE, probabilities))) <= allowed(spread, 1)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_tiny_pictures_of_random_pixels(name: str, height: int, width: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    picture = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
    strokes = draw.choice(np.array([0, 3, IGNORE, IGNORE], dtype=np.uint8), (height, width))
    probabilities = draw.dirichlet(np.ones(CLASSES), (height, width)).transpose(2, 0, 1).astype(np.float32)
    part = PROPAGATIONS.build(name, {}, "tiny")
    for given_probabilities in givens(part, probabilities, strokes):
        labels = part(picture, strokes, IGNORE, given_probabilities)
        drawn = strokes != IGNORE
        assert np.array_equal(labels[drawn], strokes[drawn])
        assert set(np.unique(labels)) <= allowed(part, *np.unique(strokes[drawn]))


def test_bad_input_is_one_clear_line(spread: Propagation) -> None:
    picture, strokes, probabilities = scene()
    bad = probabilities.copy()
    bad[0, 0, 0] = np.nan
    for given_probabilities, message in (
        (probabilities[:, 1:], "with probabilities of"),
        (probabilities[:4], "of class 4, probabilities are of 4"),
        (bad, "finite numbers"),
    ):
        with pytest.raises(UserError, match=message):
            spread(picture, strokes, IGNORE, given_probabilities)
    with pytest.raises(UserError, match="on a picture of"):
        spread(picture[1:], strokes, IGNORE, None)
