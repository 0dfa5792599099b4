"""What every method card owes: it can be trained. No card can be left out: they are found by themselves."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from scribblebench.core.cards import LossTerm, MethodCard
from scribblebench.core.library import Library
from scribblebench.losses import LOSSES
from scribblebench.nn.network import build_network
from scribblebench.training.build import make_terms
from scribblebench.training.efficiency import noise
from scribblebench.training.loop import Trainer

METHODS = Library().names("methods")


def lists_of(card: MethodCard) -> list[tuple[LossTerm, ...]]:
    """The losses of a card, and of each stage that has its own."""
    return [card.losses, *(stage.losses for stage in card.stages if stage.losses)]


LISTS = [(method, place) for method in METHODS for place in range(len(lists_of(Library().method(method))))]


@pytest.mark.parametrize(("method", "place"), LISTS)
def test_every_loss_of_a_card_takes_part_in_a_step(method: str, place: int) -> None:
    library = Library()
    small = {"batch": 2, "crop": 49, "epochs": 4, "augmentation": {"scale": [0.7, 1.0]}}
    protocol, card = library.protocol("toy", small), library.method(method)
    two = noise(protocol, 4, torch.device("cpu"))
    network = build_network(protocol, card, 4, seed=0)
    losses = lists_of(card)[place]
    trainer = Trainer(network, make_terms(card, losses), dataclasses.replace(two, seed=0), protocol)
    before = [parameter.detach().clone() for parameter in network.head.parameters()]
    logs, _ = trainer.step(next(iter(trainer.batches.epoch(0))), epoch=3, index=0)
    assert {term.part for term in losses} <= set(logs)
    assert all(math.isfinite(value) for value in logs.values())
    assert not all(torch.equal(a, b) for a, b in zip(before, network.head.parameters(), strict=True))


def test_every_shipped_loss_has_a_card() -> None:
    cards = [Library().method(method) for method in METHODS]
    used = {term.part for card in cards for terms in lists_of(card) for term in terms}
    assert used == set(LOSSES.names())
