"""Losses between neighbouring pixels, each written out from its publication."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import networkx
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from scribblebench.core.errors import UserError
from scribblebench.losses.gated_crf import GatedCrf
from scribblebench.losses.soft_self_labels import SoftSelfLabels
from scribblebench.losses.tree_energy import TreeEnergy
from scribblebench.ops.step import Step


def test_gated_crf_is_the_potts_energy_of_its_kernel(
    make_step: Callable[..., Step], network: nn.Module
) -> None:
    network.double()
    step = make_step()
    colours = adaptive_avg_pool2d(step.images, 12)
    whole = adaptive_avg_pool2d(step.valid.double(), 12) > 1 - 1e-9
    p = adaptive_avg_pool2d(torch.softmax(step.logits, dim=1), 12)
    wanted = torch.zeros((), dtype=torch.float64)
    for y, x in torch.cartesian_prod(torch.arange(12), torch.arange(12)).tolist():
        for v, u in torch.cartesian_prod(torch.arange(12), torch.arange(12)).tolist():
            if (v, u) == (y, x) or max(abs(v - y), abs(u - x)) > 3:
                continue
            colour = (colours[..., y, x] - colours[..., v, u]).square().sum(dim=1)
            kernel = torch.exp(-((v - y) ** 2 + (u - x) ** 2) / (2 * 6**2) - colour / (2 * 0.7**2))
            differ = 1 - (p[..., y, x] * p[..., v, u]).sum(dim=1)
            wanted = wanted + (kernel * differ * whole[:, y, x] * whole[:, v, u]).sum()
    loss = GatedCrf(rgb=0.7, radius=3, grid=12)
    torch.testing.assert_close(loss(step).value, wanted / whole.sum())


def test_gated_crf_of_certain_and_equal_predictions_is_zero(make_step: Callable[..., Step]) -> None:
    step = make_step()
    one_class = 100.0 * torch.eye(4)[2].view(1, 4, 1, 1).expand_as(step.output.logits)
    certain = dataclasses.replace(step, output=dataclasses.replace(step.output, logits=one_class))
    assert GatedCrf(rgb=2.0)(certain).value.item() == pytest.approx(0, abs=1e-4)


def tree_mean(values: Tensor, features: Tensor, valid: Tensor, scale: float) -> Tensor:
    """Filter one image (channels, h, w) along networkx's tree of its features."""
    height, width = valid.shape
    grid = networkx.grid_2d_graph(height, width)
    grid.remove_nodes_from([node for node in list(grid) if not valid[node]])
    for first, second in grid.edges:
        length = (features[:, *first] - features[:, *second]).square().sum().item()
        grid.edges[first, second].update(weight=length + 1, logarithm=length / scale)
    tree = networkx.minimum_spanning_tree(grid)
    out = values.clone()
    for start, lengths in networkx.all_pairs_dijkstra_path_length(tree, weight="logarithm"):
        weights = torch.exp(-torch.tensor(list(lengths.values()), dtype=values.dtype))
        reached = torch.stack([values[:, *node] for node in lengths], dim=1)
        out[:, *start] = (reached * weights).sum(dim=1) / weights.sum()
    return out


def test_tree_energy_is_the_distance_to_the_twice_filtered_predictions(
    make_step: Callable[..., Step], network: nn.Module
) -> None:
    network.double()
    step = make_step()
    nodes = {"valid": step.valid[:, ::8, ::8], "labels": step.labels[:, ::8, ::8]}
    scale, shift = (torch.tensor(v).view(3, 1, 1) for v in ((0.229, 0.224, 0.225), (0.485, 0.456, 0.406)))
    total, count = 0.0, 0
    for image in range(2):
        valid = nodes["valid"][image]
        p = torch.softmax(step.output.logits[image], dim=0).detach()
        colours = (step.images[image] * scale + shift)[:, ::8, ::8]
        y = tree_mean(p, colours, valid, 0.3)
        y = tree_mean(y, step.output.features["embedding"][image], valid, 1.0)
        unlabelled = valid & (nodes["labels"][image] == 255)
        total += ((p - y).abs().sum(dim=0) * unlabelled).sum().item()
        count += int(unlabelled.sum())
    assert TreeEnergy(sigma=0.3, stride=8)(step).value.item() == pytest.approx(total / count, rel=1e-6)


def test_tree_energy_of_a_constant_prediction_is_zero(make_step: Callable[..., Step]) -> None:
    step = make_step()
    constant = torch.arange(4.0).view(1, 4, 1, 1).expand_as(step.output.logits)
    flat = dataclasses.replace(step, output=dataclasses.replace(step.output, logits=constant))
    assert TreeEnergy()(flat).value.item() == pytest.approx(0, abs=1e-5)


def test_tree_energy_without_an_embedding_is_told_so(make_step: Callable[..., Step]) -> None:
    step = make_step()
    plain = dataclasses.replace(step, output=dataclasses.replace(step.output, features={}))
    with pytest.raises(UserError, match="head: embedding"):
        TreeEnergy()(plain)
    assert torch.isfinite(TreeEnergy(high_level=False)(plain).value)


def test_soft_labels_without_smoothness_are_the_likeliest_class(make_step: Callable[..., Step]) -> None:
    step = make_step()
    free = step.valid & (step.labels == 255)
    best = torch.softmax(step.logits, dim=1).amax(dim=1)[free]
    answer = SoftSelfLabels(smoothness=0.0, steps=3000)(step)
    torch.testing.assert_close(answer.value, -best.log().mean(), rtol=0.02, atol=0.0)
    assert answer.logs["label_certainty"] > 0.98


def test_soft_labels_pull_predictions_towards_a_stroke(make_step: Callable[..., Step]) -> None:
    step = make_step(padded=False)
    step.images.zero_()
    step.labels[:] = 255
    step.labels[:, 20:23] = 2
    logits = torch.zeros_like(step.output.logits).requires_grad_()
    output = dataclasses.replace(step.output, logits=logits)
    SoftSelfLabels()(dataclasses.replace(step, output=output)).value.backward()
    pull = -interpolate(logits.grad, step.labels.shape[-2:], mode="nearest")[:, :, 14:30]
    assert (pull[:, 2] > 0).all()
    assert (pull[:, [0, 1, 3]] < 0).all()
