"""What every registered loss owes the training loop. A new loss needs an entry in ``CONTRACTS``, no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from scribblebench.losses import LOSSES
from scribblebench.ops.step import LossValue, Step

# Name -> options to try, and the parameters that the gradient must reach with them.
CONTRACTS: dict[str, list[tuple[dict[str, Any], set[str]]]] = {
    "partial_cross_entropy": [({}, {"trunk", "query", "key", "value", "alpha", "classifier"})],
    "entropy": [
        ({}, {"trunk", "query", "key", "value", "alpha", "classifier"}),
        ({"include_padding": True}, {"trunk", "classifier"}),
    ],
    "self_supervision": [
        ({}, {"trunk", "query", "key"}),
        ({"transform": "flip", "trace": 0.0, "include_padding": True}, {"trunk", "query", "key"}),
        ({"transform": "both", "reduction": "entries", "trace_reduction": "mean"}, {"trunk", "query", "key"}),
        ({"on": "before", "transform": "translation"}, {"trunk"}),
        ({"on": "after"}, {"trunk", "query", "key", "value", "alpha"}),
        ({"on": "logits"}, {"trunk", "query", "key", "value", "alpha", "classifier"}),
    ],
}
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
