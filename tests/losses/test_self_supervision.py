"""Self-supervision end to end, against Eq. 8 written out with computing matrices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from scribblebench.core.errors import UserError
from scribblebench.losses.self_supervision import SelfSupervision
from scribblebench.ops.step import Output, Step
from scribblebench.ops.walk import Energies

ROWS = COLUMNS = 7


def written_out(step: Step, include_padding: bool) -> tuple[Tensor, Tensor, list[int]]:
    """KL and trace gap of the two images, cropped to the bottom six of seven rows of cells (Eq. 8, 9)."""
    target = step.forward(step.images[..., 8:, :], until="energies").energies
    selector = torch.eye(ROWS * COLUMNS)[COLUMNS:]
    divergences, gaps, sizes = [], [], []
    for image in range(2):
        seen = torch.ones(ROWS, COLUMNS, dtype=torch.bool) if include_padding else step.valid[image, ::8, ::8]
        keep = seen[1:].flatten()
        rows, own = selector[keep], torch.eye((ROWS - 1) * COLUMNS)[keep]
        query, key = step.output.energies.queries[image], step.output.energies.keys[image]
        original = torch.softmax(rows @ query @ key.T @ rows.T, dim=1)
        other = torch.softmax(own @ target.queries[image] @ target.keys[image].T @ own.T, dim=1)
        divergences.append(functional.kl_div(original.log(), other.detach(), reduction="sum"))
        gaps.append(original.trace() - other.trace().detach())
        sizes.append(int(keep.sum()))
    return torch.stack(divergences), torch.stack(gaps), sizes


@pytest.mark.parametrize("include_padding", [False, True])
def test_loss_and_gradient_are_equation_8(
    include_padding: bool, make_step: Callable[..., Step], network: Any
) -> None:
    step = make_step()
    divergences, gaps, sizes = written_out(step, include_padding)
    assert sizes == ([42, 42] if include_padding else [30, 21])
    expected = divergences.sum() / sum(sizes) + 0.5 * gaps.abs().mean()
    loss = SelfSupervision(transform="translation", trace=0.5, include_padding=include_padding)
    answer = loss(step)
    torch.testing.assert_close(answer.value, expected)
    torch.testing.assert_close(answer.logs["divergence"], divergences.sum().detach() / sum(sizes))
    torch.testing.assert_close(answer.logs["trace"], gaps.abs().mean().detach())
    parameters = [network.trunk.weight, network.query.weight, network.key.bias]
    ours, wanted = (
        torch.autograd.grad(value, parameters, retain_graph=True) for value in (answer.value, expected)
    )
    torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-6)


def test_entries_and_mean_trace_divide_by_the_number_of_cells(make_step: Callable[..., Step]) -> None:
    step = make_step()
    divergences, gaps, sizes = written_out(step, include_padding=False)
    entries = divergences.sum() / sum(size**2 for size in sizes)
    trace = (gaps.abs() / torch.tensor(sizes)).mean()
    loss = SelfSupervision(transform="translation", trace=0.5, reduction="entries", trace_reduction="mean")
    torch.testing.assert_close(loss(step).value, entries + 0.5 * trace)


@pytest.mark.parametrize("location", ["before", "after"])
def test_other_locations_are_mean_squared_errors(location: str, make_step: Callable[..., Step]) -> None:
    step = make_step(padded=False)
    target = step.forward(step.images.flip(3), until="after")
    wanted = functional.mse_loss(getattr(step.output, location).flip(3), getattr(target, location))
    loss = SelfSupervision(on=location, transform="flip")
    torch.testing.assert_close(loss(step).value, wanted)


def test_other_locations_leave_padding_out(make_step: Callable[..., Step]) -> None:
    step = make_step()
    target = step.forward(step.images.flip(3), until="logits").logits.flip(3)
    seen = step.valid[:, ::8, ::8]
    original, other = (maps.permute(0, 2, 3, 1)[seen].log_softmax(1) for maps in (step.output.logits, target))
    wanted = functional.kl_div(original, other, log_target=True, reduction="batchmean")
    loss = SelfSupervision(on="logits", transform="flip")
    torch.testing.assert_close(loss(step).value, wanted)


@pytest.mark.parametrize("on", ["eigenspace", "before", "after", "logits"])
@pytest.mark.parametrize("transform", ["flip", "translation", "both"])
def test_a_network_that_sees_single_pixels_is_consistent(
    on: str, transform: str, make_step: Callable[..., Step], network: Any
) -> None:
    with torch.no_grad():
        network.trunk.weight[:, :, :4] = network.trunk.weight[:, :, 5:] = 0
        network.trunk.weight[..., :4] = network.trunk.weight[..., 5:] = 0
        network.alpha.zero_()
    value = SelfSupervision(on=on, transform=transform)(make_step(padded=False)).value
    assert abs(value.item()) < 1e-5


@pytest.mark.parametrize("on", ["eigenspace", "before", "after", "logits"])
def test_second_pass_goes_no_further_than_needed_and_gets_no_gradient(
    on: str, make_step: Callable[..., Step], network: Any
) -> None:
    step = make_step()
    network.calls.clear()
    targets: list[Output] = []

    def remember(*args: Any, **options: Any) -> Output:
        targets.append(network.second_pass(*args, **options))
        return targets[-1]

    step = dataclasses.replace(step, forward=remember)
    value = SelfSupervision(on=on, update_statistics=True)(step).value
    until = {"eigenspace": "energies", "before": "energies", "after": "after", "logits": "logits"}[on]
    assert network.calls == [(until, True)]
    made = [targets[0].before, targets[0].energies.queries, targets[0].after, targets[0].logits]
    reached = torch.autograd.grad(value, [t for t in made if t is not None], allow_unused=True)
    assert all(gradient is None for gradient in reached)


def test_inner_product_walk_gets_both_halves_of_its_gradient(make_step: Callable[..., Step]) -> None:
    step = make_step(padded=False)
    features = step.output.before.detach().flatten(2).mT.contiguous().requires_grad_()
    other = features.detach() + 0.3 * torch.sin(torch.arange(features.numel())).view_as(features)
    energies, target = (Energies(f, f, ROWS, COLUMNS) for f in (features, other))
    output = dataclasses.replace(step.output, energies=energies)
    step = dataclasses.replace(
        step, output=output, forward=lambda images, **_: dataclasses.replace(output, energies=target)
    )
    ours = torch.autograd.grad(SelfSupervision(transform="flip", trace=0.0)(step).value, features)[0]
    flip = torch.block_diag(*[torch.eye(COLUMNS).flip(0)] * ROWS)
    original = torch.softmax(flip @ features @ features.mT @ flip.T, -1)
    wanted = functional.kl_div(original.log(), target.matrix(), reduction="sum") / (2 * ROWS * COLUMNS)
    torch.testing.assert_close(ours, torch.autograd.grad(wanted, features)[0], rtol=1e-4, atol=1e-6)


def on_every_second_cell(output: Output) -> Output:
    """What the same network gives with ``walk_stride: 2``."""
    walk = output.energies
    kept = torch.arange(walk.height * walk.width).view(walk.height, walk.width)[::2, ::2]
    queries, keys = (factor[:, kept.flatten()] for factor in (walk.queries, walk.keys))
    return dataclasses.replace(output, energies=Energies(queries, keys, *kept.shape))


def test_a_coarser_walk_is_moved_by_its_own_cells(make_step: Callable[..., Step]) -> None:
    step = make_step(padded=False)
    seen: list[Tensor] = []

    def forward(images: Tensor, **options: Any) -> Output:
        seen.append(images)
        return on_every_second_cell(step.forward(images, **options))

    coarse = dataclasses.replace(step, output=on_every_second_cell(step.output), forward=forward)
    value = SelfSupervision(transform="translation", share=1 / 2, trace=0.0)(coarse).value
    # Half of 4 rows of cells 16 pixels apart leaves the view; of the representation's 7 it would be 24.
    assert torch.equal(seen[0], step.images[..., 32:, :])
    target = forward(step.images[..., 32:, :], until="energies").energies
    shown = slice(2 * 4, None)
    walk = coarse.output.energies
    original = Energies(walk.queries[:, shown], walk.keys[:, shown], 2, 4).matrix()
    wanted = functional.kl_div(original.log(), target.matrix(), reduction="sum") / (2 * 2 * 4)
    torch.testing.assert_close(value, wanted)


@pytest.mark.parametrize(("share", "pixels"), [(1 / 6, 8), (1 / 3, 16), (2 / 3, 32)])
def test_the_share_of_the_height_that_leaves_the_view(
    share: float, pixels: int, make_step: Callable[..., Step], network: Any
) -> None:
    step = make_step()
    target = network(step.images[..., pixels:, :]).before
    wanted = functional.mse_loss(step.output.before[..., pixels // 8 :, :], target)
    loss = SelfSupervision(on="before", transform="translation", share=share, include_padding=True)
    torch.testing.assert_close(loss(step).value, wanted)


def test_a_network_without_a_walk_is_told_so(make_step: Callable[..., Step]) -> None:
    step = make_step()
    plain = dataclasses.replace(step, output=Output(step.output.before))
    with pytest.raises(UserError, match="head: random_walk"):
        SelfSupervision()(plain)


def test_cells_between_pixels_are_refused(make_step: Callable[..., Step]) -> None:
    step = make_step()
    with pytest.raises(UserError, match="7 rows of cells with 48 pixels"):
        SelfSupervision()(dataclasses.replace(step, images=step.images[..., 1:, :]))
