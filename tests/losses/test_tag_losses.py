"""Losses of methods that learn from tags, against sums by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from scribblebench.losses.cross_image import CrossImage
from scribblebench.losses.multi_label import MultiLabel
from scribblebench.losses.pair_affinity import PairAffinity
from scribblebench.losses.seeded_growth import SeededGrowth
from scribblebench.losses.sub_categories import SubCategories
from scribblebench.ops.cells import labels_of_cells
from scribblebench.ops.step import Output, Step

Make = Callable[..., Step]


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


def test_each_tag_is_a_logistic_loss_of_its_maps_mean(make_step: Make) -> None:
    step = make_step(padded=False)
    scores = step.output.features["activations"].mean(dim=(2, 3))
    expected = binary_cross_entropy_with_logits(scores, step.tags[:, 1:].float())
    torch.testing.assert_close(MultiLabel()(step).value, expected)
    by_hand = [logsigmoid(s if t else -s) for s, t in zip(scores[0], step.tags[0, 1:], strict=True)]
    one = dataclasses.replace(step.output, features={"activations": step.output.features["activations"][:1]})
    first = dataclasses.replace(step, output=one, tags=step.tags[:1], valid=step.valid[:1])
    torch.testing.assert_close(MultiLabel()(first).value, -sum(by_hand) / 3)


def test_pairs_one_by_one(make_step: Make) -> None:
    step = make_step(mixed=True)
    features, labels = step.output.features["affinity"].detach(), labels_of_cells(step.labels, 7, 7, 255)
    labels = torch.where((labels == 255) & (torch.arange(7) < 3), 0, labels)  # some background
    step = dataclasses.replace(step, labels=labels.repeat_interleave(7, 1).repeat_interleave(7, 2))
    # The labels of blocks of 7 pixels and those of cells 8 pixels apart: what the loss reads.
    labels = labels_of_cells(step.labels, 7, 7, 255)
    sums: dict[str, list[float]] = {"background": [], "alike": [], "apart": []}
    cells = [(y, x) for y in range(7) for x in range(7)]
    for image in range(2):
        for i, one in enumerate(cells):
            for other in cells[i + 1 :]:
                if (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 >= 9:
                    continue
                a, b = int(labels[image][one]), int(labels[image][other])
                if 255 in (a, b):
                    continue
                gap = (
                    (features[image][(slice(None), *one)] - features[image][(slice(None), *other)])
                    .abs()
                    .mean()
                )
                affinity = float(torch.exp(-gap))
                kind = "apart" if a != b else "background" if a == 0 else "alike"
                sums[kind].append(-np.log(1 + 1e-5 - affinity if a != b else affinity + 1e-5))
    means = {kind: float(np.mean(found)) for kind, found in sums.items()}
    expected = means["background"] / 4 + means["alike"] / 4 + means["apart"] / 2
    assert torch.isclose(PairAffinity(radius=3)(step).value, torch.tensor(expected), rtol=1e-4)


def test_seeds_and_boundaries_by_hand(make_step: Make) -> None:
    """Nothing grows and the CRF does nothing: what is left is the seed loss and a divergence of softmaxes."""
    step = make_step(padded=False)
    logits = step.output.logits.detach()
    loss = SeededGrowth(foreground=1.0, background=1.0, near=1e-3, far=1e-3, colour=1e-3, iterations=1)
    likely = (logits.softmax(1) + 1e-4) / (1 + 4e-4)
    # Each cell is its own and only neighbour, with weights 3 and 10 of what it believed.
    smooth = (likely + 13 * likely.softmax(1)).softmax(1)
    seeds = labels_of_cells(step.labels, 7, 7, 255)
    expected = torch.zeros(())
    for image in range(2):
        chosen = seeds[image] != 255
        assert (seeds[image][chosen] != 0).all()
        expected -= likely[image].log()[:, chosen].gather(0, seeds[image][chosen][None]).mean() / 2
    expected += (smooth * (smooth / likely).clamp(0.05, 20).log()).sum(1).mean()
    torch.testing.assert_close(loss(step).value, expected)


def test_background_and_classes_count_alike_however_many_seeds_they_have(make_step: Make) -> None:
    step = make_step(padded=False)
    labels = torch.full_like(step.labels, 255)
    labels[:, :16], labels[:, 40:, 40:] = 0, 1
    step = dataclasses.replace(step, labels=labels)
    logged = SeededGrowth(foreground=1.0, background=1.0)(step).logs
    likely = (step.output.logits.detach().softmax(1) + 1e-4) / (1 + 4e-4)
    cells = labels_of_cells(labels, 7, 7, 255)
    parts = [-likely[:, index][cells == index].log().mean() for index in (0, 1)]
    assert torch.isclose(logged["seed"], sum(parts), rtol=1e-4)
    assert logged["seeds"] == (cells != 255).sum() / 2


def clusters(draw: np.random.Generator, images: int) -> tuple[np.ndarray, Tensor, Tensor]:
    """Features of two far clusters in each of two classes: the truth, features and tags."""
    truth = draw.integers(0, 2, (images, 2))
    tags = torch.from_numpy(np.eye(2, dtype=bool)[draw.integers(0, 2, images)])
    centres = draw.normal(size=(2, 2, 6)) * 9
    own = np.array([centres[int(t[1]), s[int(t[1])]] for t, s in zip(tags, truth, strict=True)])
    features = torch.from_numpy(own + draw.normal(size=own.shape) * 0.1).float()
    return truth, features, torch.cat([torch.ones(images, 1, dtype=torch.bool), tags], dim=1)


def test_sub_categories_are_a_permutation_of_the_truth_and_learned_from_the_round_on(make_step: Make) -> None:
    truth, features, tags = clusters(np.random.default_rng(0), 40)
    ids = tuple(f"image {i}" for i in range(40))
    maps = noise(40, 4, 7, 7).requires_grad_()
    valid = torch.ones(40, 49, 49, dtype=torch.bool)
    output = Output(features[..., None, None].expand(-1, -1, 7, 7), features={"sub_categories": maps})
    step = dataclasses.replace(make_step(), output=output, tags=tags, ids=ids, valid=valid)
    watched = SubCategories(round=0)(step)
    assert watched.value == 0
    value = SubCategories(round=1)(step).value
    found = torch.stack([step.memory[f"sub_categories.found.{image}"] for image in ids]).numpy()
    target = np.zeros((40, 4))
    for index in range(2):
        has = tags[:, 1 + index].numpy()
        assert (found[~has, index] == -1).all()
        assert len({*zip(truth[has, index], found[has, index], strict=True)}) == 2  # one to one
        target[np.flatnonzero(has), 2 * index + found[has, index]] = 1
    scores = maps.mean(dim=(2, 3))
    torch.testing.assert_close(
        value, binary_cross_entropy_with_logits(scores, torch.from_numpy(target).float())
    )
    # Within a round the sub-categories stay, whatever features become.
    moved = dataclasses.replace(step, output=dataclasses.replace(output, before=output.before.flip(0)))
    assert torch.equal(SubCategories(round=1)(moved).value, value)
    SubCategories(round=2)(moved)
    assert step.memory["sub_categories.round"] == 2


def test_an_image_learns_from_the_first_partner_that_shares_a_class(make_step: Make) -> None:
    step = make_step(padded=False)
    cross = step.output.features["cross"].view(2, 3, 4, 7, 7)[:, 0]  # of two images, the next is the other
    expected = torch.zeros(())
    for image in range(2):
        labelled = step.labels[image] != 255
        full = torch.nn.functional.interpolate(cross, (49, 49), mode="bilinear", align_corners=True)
        expected -= full[image].log_softmax(0)[step.labels[image][labelled], labelled].mean() / 2
        target = cross[image].argmax(0)
        counted = step.tags[image][target] | (target == 0)
        for logits in (step.output.logits, cross):
            chosen = logits[image].log_softmax(0).gather(0, target[None])[0]
            expected -= chosen[counted].mean() / 2
    torch.testing.assert_close(CrossImage()(step).value, expected)
    alone = torch.tensor([[True, True, False, False], [True, False, True, True]])
    assert CrossImage()(dataclasses.replace(step, tags=alone)).value == 0
