"""Heads: their contract, their published sizes, and what they share with the plain one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from scribblebench.core.errors import UserError
from scribblebench.nn.heads import HEADS
from scribblebench.nn.network import Network, parameter_counts
from scribblebench.ops.colour import normalise

Build = Callable[..., Network]
OPTIONS = {
    "aspp": [{}],
    "aspp_sum": [{}, {"rates": (1, 4), "scales": (1.0, 0.75, 0.5)}],
    "boundary": [{"width": 16}],
    "box_mask": [{}],
    "classifier": [{}],
    "cross_image": [{"start": 0.5, "partners": 1}],
    "embedding": [{"width": 16}],
    "hidden_units": [{}],
    "pair_affinity": [{"width": 16}],
    "plain": [{}, {"conv_after": True}],
    "refinement": [{"boundary_width": 8}],
    "random_walk": [
        {"alpha_start": 0.5},
        {"alpha_start": 0.5, "similarity": "inner_product", "energy_scale": 0.1},
        {"alpha_start": 0.5, "walk_stride": 2, "conv_after": True},
        {"alpha_start": 0.5, "uniform": True},
        {"alpha_start": 0.5, "centre": True, "normalise": "cosine", "value": "identity"},
        {"alpha_start": 0.5, "similarity": "posterior", "energy_scale": 10.0, "conv_after": True},
        {"alpha_start": 0.5, "similarity": "image", "value": "linear", "walk_stride": 2},
        {"alpha_start": 1.0, "uniform": True, "value": "identity", "alpha": "fixed"},
    ],
    "sub_categories": [{"clusters": 2}],
}


def images(side: int = 97) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_every_head_is_under_contract() -> None:
    assert sorted(OPTIONS) == HEADS.names()


@pytest.mark.parametrize(("head", "options"), [(h, o) for h, many in OPTIONS.items() for o in many])
def test_contract(network: Build, head: str, options: dict[str, object]) -> None:
    net = network(head, **options)
    output = net(images())
    assert output.logits.shape == (2, 6, 13, 13)
    assert output.before.shape[-2:] == output.after.shape[-2:] == (13, 13)
    sum(maps.square().sum() for maps in (output.logits, *output.features.values())).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())
    # The walk of an inner product reads its energies from the representation: nothing may be cut off.
    assert all(p.grad.any() for name, p in net.named_parameters() if "bias" not in name)


@pytest.mark.parametrize("head", HEADS.names())
def test_a_forward_pass_stops_where_it_is_told(network: Build, head: str) -> None:
    net = network(head).eval()
    whole = net(images())
    for until, present in [("energies", set()), ("after", {"after"}), ("logits", {"after", "logits"})]:
        output = net(images(), until)
        assert {name for name in ("after", "logits") if getattr(output, name) is not None} == present
        assert torch.equal(output.before, whole.before)
        assert (output.energies is None) == (output.alpha is None) == (head != "random_walk")


def test_the_published_parameter_counts(network: Build) -> None:
    # Paper, Table 5, in units of 2^20: 23.61 and +0.31.
    aspp = parameter_counts(network("aspp", classes=21, backbone="resnet50"))
    assert aspp == {"trunk": 23_508_032, "head": 1_249_689, "walk": 0}
    assert sum(aspp.values()) == 24_757_721
    walk = parameter_counts(network("random_walk", classes=21, backbone="resnet50", head_width=512))
    plain = parameter_counts(network("plain", classes=21, backbone="resnet50", head_width=512))
    assert walk == {**plain, "walk": 328_321}


def test_aspp_puts_the_multi_grid_into_its_trunk(network: Build) -> None:
    dilations = {h: network(h, backbone="resnet50").trunk.layer4[2].conv2.dilation for h in ("aspp", "plain")}
    assert dilations == {"aspp": (16, 16), "plain": (4, 4)}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"similarity": "inner_product"},
        {"similarity": "posterior"},
        {"similarity": "image"},
        {"uniform": True},
        {"walk_stride": 3},
    ],
)
def test_baseline_and_walk_start_equal(network: Build, options: dict[str, object]) -> None:
    plain, walk = network("plain"), network("random_walk", **options)
    state = walk.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in plain.state_dict().items())
    assert set(state) - set(plain.state_dict()) == {n for n in state if n.startswith("head.walk.")}
    assert torch.equal(plain.eval()(images()).logits, walk.eval()(images()).logits)


def test_the_controls_values_start_as_the_walks(network: Build) -> None:
    first, second = network("random_walk"), network("random_walk", uniform=True)
    assert torch.equal(first.head.walk.value.weight, second.head.walk.value.weight)


def test_the_extra_convolution_stands_behind_the_walk(network: Build) -> None:
    plain, extra = network("random_walk"), network("random_walk", conv_after=True)
    assert torch.equal(plain.eval()(images(), "after").after, extra.eval()(images(), "after").after)
    counts = parameter_counts(plain), parameter_counts(extra)
    assert counts[1]["head"] - counts[0]["head"] == 16 * 16 * 9 + 2 * 16
    assert counts[1]["walk"] == counts[0]["walk"]


@pytest.mark.parametrize("conv_after", [False, True])
def test_the_posterior_walk_is_its_matrix_which_has_no_gradient(network: Build, conv_after: bool) -> None:
    options = {"similarity": "posterior", "energy_scale": 10.0, "alpha": "fixed", "alpha_start": 0.7}
    net = network("random_walk", conv_after=conv_after, dropout=0.0, **options).double().eval()
    features = torch.randn(2, 64, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before = net.head.reduction(features.requires_grad_())
    logits = net.head.classifier(net.head.conv_after(before)).flatten(2).mT
    products = torch.softmax(logits, dim=2) @ torch.softmax(logits, dim=2).mT
    transition = torch.softmax(10 * products, dim=2).detach()
    expected = before + 0.7 * (transition @ before.flatten(2).mT).mT.reshape(before.shape)
    after = net.head(features, "after").after
    torch.testing.assert_close(after, expected)
    weight = torch.randn(after.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ours, theirs = (
        torch.autograd.grad((out * weight).sum(), features, retain_graph=True) for out in (after, expected)
    )
    torch.testing.assert_close(ours, theirs)


def test_posteriors_leave_statistics_and_autocast_alone(network: Build) -> None:
    options = {"similarity": "posterior", "alpha_start": 0.5, "conv_after": True}
    net = network("random_walk", **options).train()
    net(images(), "energies")
    assert net.head.conv_after[1].num_batches_tracked == 0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = net(images())
    assert net.head.conv_after[1].num_batches_tracked == 1
    assert output.energies.queries.dtype == torch.float32
    output.logits.float().square().sum().backward()
    assert net.head.classifier.weight.grad.any()
    assert net.head.conv_after[0].weight.grad.any()


def test_the_image_walk_sees_the_colours_around_each_cell(network: Build) -> None:
    net = network("random_walk", similarity="image", xy=3.0, rgb=25.0).eval()
    pixels = 255 * torch.rand(1, 3, 25, 33, generator=torch.Generator().manual_seed(0))
    transition = net(normalise(pixels), "energies").energies.matrix()[0].detach()
    squares = [
        pixels[0, :, max(0, 8 * y - 4) : 8 * y + 5, max(0, 8 * x - 4) : 8 * x + 5].mean(dim=(1, 2)) / 25
        for y in range(4)
        for x in range(5)
    ]
    places = torch.cartesian_prod(torch.arange(4.0), torch.arange(5.0)) / 3
    points = torch.cat([places, torch.stack(squares)], dim=1).double()
    kernel = torch.exp(-(points[:, None] - points).square().sum(dim=2) / 2)
    torch.testing.assert_close(
        transition.double(), kernel / kernel.sum(dim=1, keepdim=True), rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"energy_scale": 0},
        {"walk_stride": 0},
        {"similarity": "cosine"},
        {"apha": 1},
        {"centre": True, "similarity": "image"},
        {"normalise": "cosine", "similarity": "image"},
    ],
)
def test_bad_options_are_named(network: Build, bad: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(bad))):
        network("random_walk", **bad)


@pytest.mark.parametrize(("head", "channels"), [("embedding", 16), ("boundary", 1)])
def test_a_feature_is_there_in_training_and_changes_nothing(network: Build, head: str, channels: int) -> None:
    plain, more = network("plain"), network(head, width=16)
    state = more.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in plain.state_dict().items())
    assert torch.equal(plain.eval()(images()).logits, more.eval()(images()).logits)
    assert not more(images()).features
    assert more.train()(images()).features[head].shape == (2, channels, 13, 13)


def test_refinement_starts_as_plain_and_corrects_it(network: Build) -> None:
    plain, refined = network("plain", dropout=0.0), network("refinement", dropout=0.0)
    state = refined.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in plain.state_dict().items())
    output = refined.train()(images())
    torch.testing.assert_close(output.features["coarse"], plain.train()(images()).logits)
    assert output.features["boundary"].shape == (2, 1, 13, 13)
    assert not refined.eval()(images()).features
    coarse, features = plain.eval()(images()), refined.eval()
    joined = torch.cat([coarse.before, coarse.logits.softmax(dim=1)], dim=1)
    added = features.head.correct(features.head.enhance(joined))
    assert not torch.allclose(added, torch.zeros_like(added))


def test_the_size_of_refinement(network: Build) -> None:
    width, classes, edge = 512, 21, 32
    plain, refined = (
        parameter_counts(network(head, classes=classes, backbone="resnet50", head_width=width))
        for head in ("plain", "refinement")
    )
    step = (width + classes) * width * 9 + 2 * width + (width + 1) * classes
    branch = width * edge * 9 + 2 * edge + edge + 1
    assert refined == {**plain, "head": plain["head"] + step + branch}
