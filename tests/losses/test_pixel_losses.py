"""Cross-entropies against torch's own, entropy against scipy's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn
from torch.nn import functional

from scribblebench.losses.boundary_regression import BoundaryRegression
from scribblebench.losses.entropy import Entropy
from scribblebench.losses.multi_scale_cross_entropy import MultiScaleCrossEntropy
from scribblebench.losses.partial_cross_entropy import PartialCrossEntropy
from scribblebench.ops.boundary import boundary_map
from scribblebench.ops.colour import rgb
from scribblebench.ops.step import Step


def test_partial_cross_entropy_is_the_mean_over_labelled_pixels(make_step: Callable[..., Step]) -> None:
    step = make_step()
    answer = PartialCrossEntropy()(step)
    torch.testing.assert_close(
        answer.value, functional.cross_entropy(step.logits, step.labels, ignore_index=255)
    )
    assert answer.logs["labelled_pixels"].item() == 3 * 25 + 3 * 15


def test_partial_cross_entropy_without_labels_is_a_zero_with_gradient(
    make_step: Callable[..., Step], network: nn.Module
) -> None:
    value = PartialCrossEntropy()(make_step(labelled=False)).value
    assert value.item() == 0
    value.backward()
    assert {name for name, p in network.named_parameters() if p.grad is not None} >= {"trunk.weight", "alpha"}
    assert all(p.grad is None or p.grad.abs().sum() == 0 for p in network.parameters())


def test_other_logits_are_scored_as_the_logits_are(make_step: Callable[..., Step]) -> None:
    step = make_step()
    both = PartialCrossEntropy(also=("coarse",))(step)
    coarse = dataclasses.replace(step.output, logits=step.output.features["coarse"])
    alone = PartialCrossEntropy()(dataclasses.replace(step, output=coarse)).value
    torch.testing.assert_close(both.value, PartialCrossEntropy()(step).value + alone)
    torch.testing.assert_close(both.logs["cross_entropy_coarse"], alone.detach())


def test_multi_scale_cross_entropy_is_the_sum_over_scales_and_maximum(make_step: Callable[..., Step]) -> None:
    step = make_step()
    draws = torch.Generator().manual_seed(2)
    labels = torch.randint(4, (2, 49, 49), generator=draws)
    labels[:, ::8, 16] = 255
    largest, half = torch.randn(2, 4, 7, 7, generator=draws), torch.randn(2, 4, 4, 4, generator=draws)
    output = dataclasses.replace(step.output, logits=largest, scales=(largest - 1, half))
    value = MultiScaleCrossEntropy()(dataclasses.replace(step, labels=labels, output=output)).value
    fine, coarse = labels[:, ::8, ::8], labels[:, ::16, ::16]
    pairs = [(largest, fine), (largest - 1, fine), (half, coarse)]
    expected = sum(functional.cross_entropy(*pair, ignore_index=255) for pair in pairs)
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("include_padding", [False, True])
def test_entropy_is_scipys_over_the_pixels_that_count(
    include_padding: bool, make_step: Callable[..., Step]
) -> None:
    step = make_step()
    pixels = torch.softmax(step.logits, dim=1).permute(0, 2, 3, 1).detach()
    counted = pixels.reshape(-1, 4) if include_padding else pixels[step.valid]
    expected = scipy.stats.entropy(counted.numpy(), axis=1).mean()
    assert Entropy(include_padding=include_padding)(step).value.item() == pytest.approx(expected, rel=1e-5)


def test_entropy_of_nothing_but_padding_is_zero(make_step: Callable[..., Step]) -> None:
    step = make_step()
    step.valid.fill_(False)
    assert Entropy()(step).value.item() == 0


def test_boundary_regression_is_lowest_where_the_map_is_met(make_step: Callable[..., Step]) -> None:
    step = make_step()
    wanted, counted = boundary_map(rgb(step.images), step.valid, 1.0)

    def loss(logits: torch.Tensor) -> float:
        output = dataclasses.replace(step.output, features={"boundary": logits[:, None]})
        return float(BoundaryRegression()(dataclasses.replace(step, output=output)).value)

    p = wanted[counted].clamp(1e-7, 1 - 1e-7).double().numpy()
    entropy = scipy.stats.entropy(np.stack([p, 1 - p])).mean()
    met = torch.logit(wanted.clamp(1e-7, 1 - 1e-7))
    assert loss(met) == pytest.approx(entropy, rel=1e-4)
    assert loss(met + 0.1) > loss(met) < loss(met - 0.1)
