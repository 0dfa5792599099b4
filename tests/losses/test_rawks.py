"""RAWKS's loss written out, and what it teaches."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from scribblebench.core.errors import UserError
from scribblebench.losses.rawks import Rawks
from scribblebench.ops.step import Step

IGNORE = 255


def boundaries(step: Step, stride: int, contrast: float, sharpness: float) -> Tensor:
    """B node by node: mean colours around it, gradients between nodes that are no padding."""
    scale, shift = (
        torch.tensor(v, dtype=torch.float64).view(3, 1, 1)
        for v in ((0.229, 0.224, 0.225), (0.485, 0.456, 0.406))
    )
    reach, count = stride // 2, (step.labels.shape[-1] - 1) // stride + 1
    found = torch.zeros(len(step.labels), count, count, dtype=torch.float64)
    for image, valid in enumerate(step.valid):
        pixels = step.images[image] * scale + shift
        colours = {}
        for y in range(count):
            for x in range(count):
                if valid[y * stride, x * stride]:
                    window = [slice(max(0, c * stride - reach), c * stride + reach + 1) for c in (y, x)]
                    colours[y, x] = pixels[:, *window][:, valid[*window]].mean(dim=1)
        for (y, x), own in colours.items():
            near = [colours[p] for p in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)) if p in colours]
            slope = (sum((own - other).square().sum() for other in near) / 2) ** 0.5
            found[image, y, x] = (slope / contrast) ** sharpness
    return found


def solved(boundary: Tensor, seeds: Tensor, valid: Tensor, classes: int) -> Tensor:
    """The walk's distribution by a dense solve of its equations as they are published."""
    height, width = seeds.shape
    system, right = torch.eye(seeds.numel()).double(), torch.zeros(seeds.numel(), classes).double()
    for y in range(height):
        for x in range(width):
            row = y * width + x
            if seeds[y, x] != IGNORE and valid[y, x]:
                right[row, seeds[y, x]] = 1
            elif valid[y, x]:
                around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                near = [p for p in around if 0 <= p[0] < height and 0 <= p[1] < width and valid[p]]
                for place in near:
                    system[row, place[0] * width + place[1]] -= torch.exp(-boundary[y, x]) / len(near)
    hits = torch.linalg.solve(system, right)
    total = hits.sum(dim=1, keepdim=True)
    return torch.where(total > 0, hits / total.clamp(min=1e-300), 0).T.reshape(classes, height, width)


def test_it_is_the_weighted_cross_entropy_to_where_walks_end(
    make_step: Callable[..., Step], network: nn.Module
) -> None:
    network.double()
    step = make_step()
    step.labels[0, 40, 30] = 2  # a stroke of one pixel, nearest to the node at 40, 32
    seeds = torch.full((2, 7, 7), IGNORE)
    seeds[0, 3, 2:6], seeds[1, 1, 1:3], seeds[0, 5, 4] = 1, 3, 2
    valid = step.valid[:, ::8, ::8]
    boundary = boundaries(step, 8, 1.5, 2.0)
    total, count = 0.0, 0
    for image in range(2):
        walk = solved(boundary[image], seeds[image], valid[image], 4)
        log_q = torch.log_softmax(step.output.logits[image], dim=0).detach()
        for y, x in torch.argwhere(valid[image] & (seeds[image] == IGNORE)).tolist():
            p = walk[:, y, x]
            weight = torch.exp(0.7 * torch.xlogy(p, p).sum())
            total += float(-weight * (p * log_q[:, y, x]).sum())
            count += 1
    loss = Rawks(contrast=1.5, sharpness=2.0, uncertainty=0.7, stride=8)
    assert loss(step).value.item() == pytest.approx(total / count, rel=1e-6)


def test_predictions_are_pulled_to_the_stroke_on_their_side(make_step: Callable[..., Step]) -> None:
    step = make_step(padded=False, labelled=False)
    step.images[:] = torch.where(torch.arange(49) < 32, -1.0, 1.0)
    step.labels[:, 10, 3], step.labels[:, 30, 47] = 1, 2
    logits = torch.zeros_like(step.output.logits).requires_grad_()
    output = dataclasses.replace(step.output, logits=logits)
    Rawks(stride=8)(dataclasses.replace(step, output=output)).value.backward()
    pull = -logits.grad[:, :, 2:4]  # the rows between the strokes
    assert (pull[:, 1, :, :3] > 0).all()
    assert (pull[:, [0, 2, 3], :, :3] < 0).all()
    assert (pull[:, 2, :, 5:] > 0).all()


def test_a_learned_boundary_moves_to_where_it_helps(make_step: Callable[..., Step]) -> None:
    """Predictions change at a column where the image shows nothing: descent puts a wall beside it."""
    step = make_step(padded=False, labelled=False)
    step.images.zero_()
    step.labels[:, :, 0], step.labels[:, :, 48] = 1, 2
    logits = torch.zeros_like(step.output.logits)
    logits[:, 1, :, :5], logits[:, 2, :, 5:] = 8, 8
    boundary = torch.full((2, 1, 7, 7), -3.0, requires_grad=True)
    output = dataclasses.replace(step.output, logits=logits, features={"boundary": boundary})
    value = Rawks(stride=8, learned=True)(dataclasses.replace(step, output=output)).value
    (slope,) = torch.autograd.grad(value, boundary)
    assert (slope[..., 5] < 0).all(), "a wall at the first column of the other class lowers the loss"
    assert (slope[..., 1:3] > 0).all(), "walls on the way to it would raise the loss"


def test_without_boundaries_to_learn_it_is_told_so(make_step: Callable[..., Step]) -> None:
    step = make_step()
    plain = dataclasses.replace(step, output=dataclasses.replace(step.output, features={}))
    with pytest.raises(UserError, match="head: boundary"):
        Rawks(learned=True)(plain)
    assert torch.isfinite(Rawks()(plain).value)
