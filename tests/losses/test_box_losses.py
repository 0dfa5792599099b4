"""The masks' targets and the filling rates by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from scribblebench.losses.box_mask import BoxMask
from scribblebench.losses.filling_rate import FillingRate, keep_share
from scribblebench.ops.step import Output, Step


def step(logits: Tensor, labels: Tensor, told: Tensor, **features: Tensor) -> Step:
    output = Output(before=logits, logits=logits, features=features)
    images, valid = torch.zeros(len(labels), 3, *labels.shape[1:]), torch.ones_like(labels, dtype=torch.bool)
    return Step(images, labels, valid, output, lambda: output, 255, lambda name: 0.0, read_told=lambda: told)


@pytest.mark.parametrize("rate", [0.0, 0.34, 0.5, 0.77, 1.0])
def test_of_scores_in_a_row_exactly_the_share_stays(rate: float) -> None:
    scores = torch.arange(1.0, 31).view(5, 6)
    labels = torch.full((5, 6), 2)
    keep_share(labels, torch.ones(5, 6, dtype=torch.bool), scores, 2, rate, 255)
    assert (labels == 2).sum() == round(rate * 30)
    assert torch.equal(labels == 2, scores > 30 - round(rate * 30))
    assert ((labels == 2) | (labels == 255)).all()


def test_likely_pixels_are_won_and_other_classes_and_places_left_alone() -> None:
    labels = torch.tensor([[255, 2, 0, 2, 255]])
    inside = torch.tensor([[True, True, True, True, False]])
    keep_share(labels, inside, torch.tensor([[0.9, 0.1, 0.8, 0.7, 1.0]]), 2, 0.75, 255)
    assert labels.tolist() == [[2, 255, 0, 2, 255]]


def test_rates_are_means_over_images_of_the_seeds_share() -> None:
    told = torch.tensor([[[1, 1, 1, 1]], [[1, 1, 2, 0]]])
    seeds = torch.tensor([[[1, 0, 255, 255]], [[1, 1, 255, 0]]])
    logits = torch.zeros(2, 3, 1, 4)
    logits[:, 1] = torch.tensor([4.0, 3.0, 2.0, 1.0])
    given = step(logits, seeds, told)
    FillingRate()(given)
    assert (given.memory["filling_rate.total"] / given.memory["filling_rate.count"])[1] == 0.75
    assert given.memory["filling_rate.count"].tolist() == [1, 2, 0]
    # 3 of 4 pixels in the first image: the third is won; 2 x 0.75 = 1.5 of the second, rounded to the even 2.
    # No seed says anything of class 2 yet: its box is its own.
    labels = torch.tensor([[[1, 0, 1, 255]], [[1, 1, 2, 0]]])
    expected = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert float(FillingRate()(step(logits, seeds, told)).value) == pytest.approx(float(expected))


def test_masks_are_half_outside_of_boxes_and_the_backgrounds_is_open() -> None:
    told = torch.tensor([[[0, 1], [2, 255]]])
    masks = torch.zeros(1, 3, 2, 2)  # a half everywhere
    value = BoxMask()(step(masks, told, told, box_mask=masks)).value
    # 4 cells of the background, 2 of each of the others are to be 1.
    assert float(value) == pytest.approx(8 * 0.25 / 12)
