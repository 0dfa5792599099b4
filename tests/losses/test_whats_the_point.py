"""The four terms by hand, pixel by pixel, and that one pixel of a class has the gradient."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from scribblebench.losses.whats_the_point import WhatsThePoint, centre
from scribblebench.ops.step import Output, Step


def step(logits: Tensor, labels: list[list[list[int]]], tags: list[list[bool]]) -> Step:
    given = torch.tensor(labels)
    valid = torch.ones_like(given, dtype=torch.bool)
    images = torch.zeros(len(given), 3, *given.shape[1:])
    output = Output(before=logits, logits=logits)
    return Step(images, given, valid, output, lambda: output, 255, lambda name: 0.0, tags=torch.tensor(tags))


def by_hand(logits: np.ndarray, labels: np.ndarray, tags: np.ndarray, objectness: np.ndarray | None) -> float:
    """The layer's four sums, as loops over one image (3, h, w)."""
    chance = np.exp(logits) / np.exp(logits).sum(axis=0)
    held, absent = np.flatnonzero(tags), np.flatnonzero(~tags)
    presence = -np.mean([math.log(chance[c].max()) for c in held])
    absence = -np.mean([math.log(1 - chance[c].max()) for c in absent]) if len(absent) else 0.0
    clicked = list(zip(*np.nonzero(labels != 255), strict=True))
    clicks = -np.mean([math.log(chance[labels[p]][p]) for p in clicked]) if clicked else 0.0
    costs = []
    for p in zip(*np.nonzero(labels == 255), strict=True):
        if objectness is not None:
            background = 1 - (objectness[p] + 1) / 257
            zero = chance[0][p]
            costs.append(-background * math.log(zero) - (1 - background) * math.log(1 - zero))
    return float(presence + absence + clicks + (np.mean(costs) if costs else 0.0))


def test_four_terms_by_hand() -> None:
    draw = np.random.default_rng(0)
    logits = draw.standard_normal((2, 3, 4, 4))
    labels = np.full((2, 4, 4), 255)
    labels[0, 1, 2], labels[0, 3, 3] = 1, 2
    tags = np.array([[True, True, True], [True, False, True]])
    objectness = 255 * centre(torch.ones(1, 4, 4, dtype=torch.bool))[0].double().numpy()
    for option, prior in (("centre", objectness), ("none", None)):
        expected = np.mean([by_hand(*one, prior) for one in zip(logits, labels, tags, strict=True)])
        answer = WhatsThePoint(option)(step(torch.from_numpy(logits), labels.tolist(), tags.tolist()))
        assert float(answer.value) == pytest.approx(float(expected), rel=1e-6)


def test_of_equal_pixels_one_has_the_gradient() -> None:
    logits = torch.zeros(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    answer = WhatsThePoint("none")(step(logits, [[[255, 255], [255, 255]]], [[True, True, False]]))
    answer.value.backward()
    assert logits.grad is not None
    assert (logits.grad.abs().sum(dim=1) > 0).sum() == 1
    # Presence: S - 1[c], a mean of two. Absence of class 2: S at the class, -S_k S / (1 - S) at the others.
    presence = np.array([1 / 3, 1 / 3, 1 / 3]) - [0.5, 0.5, 0.0]
    absence = np.array([-1 / 6, -1 / 6, 1 / 3])
    assert np.allclose(logits.grad[0, :, 0, 0], presence + absence)


def test_certainty_of_an_absent_class_costs_a_finite_amount() -> None:
    logits = torch.zeros(1, 3, 2, 2)
    logits[0, 2] = 200.0
    answer = WhatsThePoint("none")(
        step(logits.requires_grad_(), [[[255, 255], [255, 255]]], [[True, True, False]])
    )
    assert float(answer.logs["absence"]) == pytest.approx(200 - math.log(2), rel=1e-5)
    answer.value.backward()
    assert torch.isfinite(logits.grad).all()


def test_the_prior_is_that_of_what_the_crop_shows() -> None:
    valid = torch.zeros(1, 9, 9, dtype=torch.bool)
    valid[0, 2:7, 1:9] = True
    found = centre(valid)
    assert torch.equal(found[0, 2:7, 1:9], centre(torch.ones(1, 5, 8, dtype=torch.bool))[0])
    assert (found[~valid] == 0).all()
