from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from scribblebench.core.cards import Augmentation, MethodCard, Optimizer, Paper, ProtocolCard
from scribblebench.nn.network import Network, build_network

PROTOCOL = ProtocolCard(
    name="test",
    title="Test",
    dataset="toy",
    backbone="tiny",
    output_stride=8,
    head_width=16,
    dropout=0.1,
    crop=97,
    batch=2,
    epochs=1,
    optimizer=Optimizer("adam", lr=1e-3),
    schedule="step",
    augmentation=Augmentation(),
    evaluation={"part": "whole_image"},
)


@pytest.fixture
def network() -> Callable[..., Network]:
    """Build a network: ``network("random_walk", backbone="resnet50", walk_stride=2)``."""
    names = set(ProtocolCard.__struct_fields__)

    def build(head: str = "plain", classes: int = 6, seed: int = 0, **options: Any) -> Network:
        protocol = msgspec.structs.replace(PROTOCOL, **{k: v for k, v in options.items() if k in names})
        own = {k: v for k, v in options.items() if k not in names}
        method = MethodCard(
            name="m", title="M", paper=Paper("k", 2021, "t"), network={"head": head, **own}, losses=()
        )
        return build_network(protocol, method, classes, seed)

    return build
