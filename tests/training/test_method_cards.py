"""What every method card owes: it can be trained. No card can be left out: they are found by themselves."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from scribblebench.core.library import Library
from scribblebench.losses import LOSSES
from scribblebench.nn.network import build_network
from scribblebench.training.build import make_terms
from scribblebench.training.efficiency import noise
from scribblebench.training.loop import Trainer

METHODS = Library().names("methods")


@pytest.mark.parametrize("method", METHODS)
def test_every_loss_of_a_card_takes_part_in_a_step(method: str) -> None:
    library = Library()
    small = {"batch": 2, "crop": 49, "epochs": 4, "augmentation": {"scale": [0.7, 1.0]}}
    protocol, card = library.protocol("toy", small), library.method(method)
    two = noise(protocol, 4, torch.device("cpu"))
    network = build_network(protocol, card, 4, seed=0)
    trainer = Trainer(network, make_terms(card), dataclasses.replace(two, seed=0), protocol)
    before = [parameter.detach().clone() for parameter in network.head.parameters()]
    logs, _ = trainer.step(next(iter(trainer.batches.epoch(0))), epoch=3, index=0)
    assert {term.part for term in card.losses} <= set(logs)
    assert all(math.isfinite(value) for value in logs.values())
    assert not all(torch.equal(a, b) for a, b in zip(before, network.head.parameters(), strict=True))


def test_every_shipped_loss_has_a_card() -> None:
    used = {term.part for method in METHODS for term in Library().method(method).losses}
    assert used == set(LOSSES.names())
