from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from scribblebench.core.errors import UnknownNameError
from scribblebench.nn.network import Network, frozen_statistics

Build = Callable[..., Network]


def images() -> torch.Tensor:
    return torch.randn(2, 3, 97, 97, generator=torch.Generator().manual_seed(1)) * 2 + 1


def statistics(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: buffer.clone() for name, buffer in network.named_buffers()}


def changed(before: dict[str, torch.Tensor], network: nn.Module) -> set[str]:
    return {name for name, buffer in network.named_buffers() if not torch.equal(buffer, before[name])}


def test_weights_depend_on_the_seed_alone(network: Build) -> None:
    torch.manual_seed(3)
    first = network("random_walk", seed=1).state_dict()
    torch.manual_seed(4)
    again, other = network("random_walk", seed=1).state_dict(), network("random_walk", seed=2).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    for part in ("trunk.stem.0.weight", "head.reduction.0.weight", "head.walk.query.weight"):
        assert not torch.equal(first[part], other[part])


def test_building_leaves_the_global_generator_alone(network: Build) -> None:
    state = torch.get_rng_state()
    network("random_walk")
    assert torch.equal(torch.get_rng_state(), state)


def test_the_parameters_are_those_of_trunk_and_head(network: Build) -> None:
    net = network("random_walk")
    both = net.backbone_parameters() + net.head_parameters()
    assert {id(p) for p in both} == {id(p) for p in net.parameters()}
    assert len(both) == len(set(both))


def test_frozen_batch_norm_survives_train(network: Build) -> None:
    net = network("plain", freeze_batch_norm=True).train()
    before = statistics(net)
    net(images()).logits.square().sum().backward()
    assert changed(before, net)
    assert all(name.startswith("head.") for name in changed(before, net))
    affine = [p for m in net.trunk.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()]
    assert affine
    assert not {id(p) for p in affine} & {id(p) for p in net.backbone_parameters()}
    assert all(p.grad is None for p in affine)


def test_a_second_pass_leaves_the_statistics_alone(network: Build) -> None:
    net = network("random_walk").train()
    with torch.no_grad():
        expected = net(images(), "after").after
        before = statistics(net)
        with frozen_statistics(net):
            # Still the batch's own statistics, so the pass is the same as an ordinary one.
            assert torch.equal(net(images(), "after").after, expected)
        assert not changed(before, net)
        net(images())
        assert changed(before, net)


def test_energies_stay_float32_under_autocast(network: Build) -> None:
    net = network("random_walk", alpha_start=0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = net(images())
        assert output.energies.queries.dtype == output.energies.keys.dtype == torch.float32
        assert output.before.dtype == output.after.dtype == output.logits.dtype == torch.bfloat16
        exact = net.head.walk.query(output.before.float().flatten(2).transpose(1, 2))
        assert exact.dtype == torch.bfloat16
    full = net.head.walk.query(output.before.float().flatten(2).transpose(1, 2))
    torch.testing.assert_close(output.energies.queries, full, rtol=1e-5, atol=1e-6)
    output.logits.float().square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_a_network_without_a_head_is_an_error(network: Build) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'plain'"):
        network("plan")
