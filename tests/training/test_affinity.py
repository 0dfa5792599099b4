"""Other walks on the features of a network, against what a linear classifier makes of them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
import torch

from nn.conftest import PROTOCOL
from scribblebench.core.cards import MethodCard, Paper
from scribblebench.core.library import Library
from scribblebench.nn.heads import HEADS
from scribblebench.nn.network import Network, build_network
from scribblebench.training.affinity import NONE, ORACLE, OTHERS, OWN, TRAINED, logits_of, walks_of

CLASSES = 6


@pytest.fixture
def network() -> Callable[..., Network]:
    def build(**options: object) -> Network:
        card = MethodCard(name="m", title="M", paper=Paper("k", 2021, "t"), network=dict(options), losses=())
        return build_network(PROTOCOL, card, CLASSES, seed=0).eval()

    return build


@torch.no_grad()
def test_half_of_the_logits_has_walked(network: Callable[..., Network]) -> None:
    """The classifier is linear, so a walk of identity values is one of the logits."""
    net = network(head="random_walk", alpha_start=0.5)
    images = torch.randn(1, 3, 25, 33, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % CLASSES
    output = net(images)
    walks = walks_of(net.head, output, images, labels, CLASSES)
    logits = logits_of(net.head, output, walks)
    assert set(logits) == {NONE, TRAINED, OWN, *OTHERS, ORACLE}
    assert torch.equal(logits[TRAINED], output.logits)
    plain = net.head.classify(output.before)
    assert torch.equal(logits[NONE], plain)
    rows = plain.flatten(2)[0].T
    same = (labels[:, None] == labels).float()
    transitions = {
        OWN: output.energies.matrix()[0],
        "uniform": torch.full((20, 20), 1 / 20),
        "posterior": torch.softmax(10 * rows.softmax(dim=1) @ rows.softmax(dim=1).T, dim=1),
        ORACLE: same / same.sum(dim=1, keepdim=True),
    }
    for name, transition in transitions.items():
        expected = (rows + transition @ rows) / 2
        torch.testing.assert_close(logits[name].flatten(2)[0].T, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_coarser_walk_is_compared_on_its_own_grid(network: Callable[..., Network]) -> None:
    net = network(head="random_walk", walk_stride=2)
    images = torch.randn(1, 3, 33, 65, generator=torch.Generator().manual_seed(0))
    walks = walks_of(net.head, net(images), images, torch.zeros(15, dtype=torch.long), CLASSES)
    assert {(energies.height, energies.width) for energies in walks.values()} == {(3, 5)}


def test_the_other_walks_are_those_of_the_cards() -> None:
    for name, card in {
        "uniform": "rw-uniform-identity",
        "posterior": "rw-posterior",
        "image": "rw-image",
    }.items():
        options = dict(Library().method(card).network)
        walk = HEADS.build(options.pop("head"), options, "a test")
        assert msgspec.structs.replace(OTHERS[name], alpha_start=1.0) == walk
