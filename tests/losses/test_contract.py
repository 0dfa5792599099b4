"""What every registered loss owes the training loop. A new loss needs an entry in ``CONTRACTS``, no more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from scribblebench.losses import LOSSES
from scribblebench.ops.step import LossValue, Step

EVERYTHING = {"trunk", "query", "key", "value", "alpha", "classifier"}
# Name -> options to try, and the parameters that the gradient must reach with them.
CONTRACTS: dict[str, list[tuple[dict[str, Any], set[str]]]] = {
    "partial_cross_entropy": [({}, EVERYTHING), ({"also": ["coarse"]}, {*EVERYTHING, "coarse"})],
    "multi_scale_cross_entropy": [({}, EVERYTHING)],
    "boundary_regression": [({}, {"trunk", "boundary"}), ({"sigma": 0.5}, {"trunk", "boundary"})],
    "entropy": [
        ({}, EVERYTHING),
        ({"include_padding": True}, {"trunk", "classifier"}),
    ],
    "self_supervision": [
        ({}, {"trunk", "query", "key"}),
        ({"transform": "flip", "trace": 0.0, "include_padding": True}, {"trunk", "query", "key"}),
        ({"transform": "both", "reduction": "entries", "trace_reduction": "mean"}, {"trunk", "query", "key"}),
        ({"on": "before", "transform": "translation"}, {"trunk"}),
        ({"on": "after"}, {"trunk", "query", "key", "value", "alpha"}),
        ({"on": "logits"}, EVERYTHING),
    ],
    # The images are noise: colours differ by more than they do on photographs.
    "gated_crf": [({"rgb": 2.0}, EVERYTHING), ({"rgb": 2.0, "radius": 2, "grid": 20}, EVERYTHING)],
    "tree_energy": [
        # On the network's own cells: between them edges are of equal length, and which is cut is chance.
        ({"sigma": 1.0, "stride": 8}, {*EVERYTHING, "embedding"}),
        ({"sigma": 1.0, "high_level": False}, EVERYTHING),
    ],
    "gaussian_mixture": [
        ({}, {*EVERYTHING, "embedding"}),
        ({"stride": 8}, {*EVERYTHING, "embedding"}),
    ],
    "dense_crf": [({"rgb": 60.0}, EVERYTHING), ({"rgb": 60.0, "xy": 0.5, "block": 1}, EVERYTHING)],
    "normalized_cut": [({"rgb": 60.0}, EVERYTHING), ({"rgb": 60.0, "xy": 0.5, "block": 1}, EVERYTHING)],
    "mean_teacher": [({}, EVERYTHING)],
    "box_mask": [({}, {"trunk", "box_mask"})],
    "filling_rate": [({}, EVERYTHING)],
    "whats_the_point": [({}, EVERYTHING), ({"objectness": "none"}, EVERYTHING)],
    "soft_self_labels": [({}, EVERYTHING), ({"block": 2, "steps": 3}, EVERYTHING)],
    "rawks": [
        ({"contrast": 1.5, "sharpness": 2.0}, EVERYTHING),
        # The weight is held still: with it no finite difference would be the gradient of what is learned.
        ({"contrast": 1.5, "sharpness": 2.0, "uncertainty": 0.0, "learned": True}, {*EVERYTHING, "boundary"}),
    ],
    "multi_label": [({}, {"trunk", "activations"})],
    "pair_affinity": [({}, {"trunk", "affinity"}), ({"radius": 2}, {"trunk", "affinity"})],
    "seeded_growth": [({"iterations": 3}, EVERYTHING), ({"foreground": 0.2, "background": 0.2}, EVERYTHING)],
    "sub_categories": [({}, {"trunk", "sub_categories"})],
    "cross_image": [({}, {*EVERYTHING, "cross"})],
}
# Targets that are made from the network's own output without gradient: no finite difference holds them still.
HAS_TARGETS = {"self_supervision", "soft_self_labels", "mean_teacher"}
# What a walk hits is certain where all strokes are of one class.
STEPS = {"rawks": {"mixed": True}, "pair_affinity": {"mixed": True}}
CASES = [(name, options, reached) for name, tries in CONTRACTS.items() for options, reached in tries]


def test_every_registered_loss_has_a_contract() -> None:
    assert set(CONTRACTS) == set(LOSSES.names())


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[Callable[[Step], LossValue], set[str]]:
    name, options, reached = request.param
    return LOSSES.build(name, options, "contract"), reached


def test_value_is_a_finite_scalar_with_gradient_to_its_parameters(
    case: tuple[Callable[[Step], LossValue], set[str]], make_step: Callable[..., Step], network: nn.Module
) -> None:
    loss, reached = case
    answer = loss(make_step())
    assert answer.value.shape == ()
    assert torch.isfinite(answer.value)
    answer.value.backward()
    gradients = {name.split(".")[0]: p.grad for name, p in network.named_parameters() if p.grad is not None}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())
    assert reached <= {name for name, gradient in gradients.items() if gradient.abs().sum() > 0}
    for log in answer.logs.values():
        assert log.shape == ()
        assert not log.requires_grad


def test_value_is_a_function_of_the_step(
    case: tuple[Callable[[Step], LossValue], set[str]], make_step: Callable[..., Step]
) -> None:
    loss, _ = case
    assert torch.equal(loss(make_step()).value, loss(make_step()).value)


def test_any_ignore_index_will_do(
    case: tuple[Callable[[Step], LossValue], set[str]], make_step: Callable[..., Step]
) -> None:
    loss, _ = case
    assert torch.equal(loss(make_step()).value, loss(make_step(ignore_index=-1)).value)


def test_nothing_labelled_is_nothing_broken(
    case: tuple[Callable[[Step], LossValue], set[str]], make_step: Callable[..., Step], network: nn.Module
) -> None:
    loss, _ = case
    value = loss(make_step(labelled=False)).value
    assert torch.isfinite(value)
    value.backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("name", "options"), [(name, options) for name, options, _ in CASES if name not in HAS_TARGETS]
)
def test_gradient_is_that_of_finite_differences(
    name: str, options: dict[str, Any], make_step: Callable[..., Step], network: nn.Module
) -> None:
    loss, network = LOSSES.build(name, options, "contract"), network.double()
    make_step = partial(make_step, **STEPS.get(name, {}))
    parameters = list(network.parameters())
    generator = torch.Generator().manual_seed(3)
    direction = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in parameters]
    gradients = torch.autograd.grad(loss(make_step()).value, parameters, allow_unused=True)
    slope = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True) if g is not None)

    def moved(by: float) -> Tensor:
        with torch.no_grad():
            for p, d in zip(parameters, direction, strict=True):
                p += by * d
            value = loss(make_step()).value
            for p, d in zip(parameters, direction, strict=True):
                p -= by * d
        return value

    torch.testing.assert_close(slope, (moved(1e-6) - moved(-1e-6)) / 2e-6, rtol=1e-5, atol=1e-9)
