"""The functions hand their tensors to the registered parts; partial and eigenspace losses by hand."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

import scribblebench as sb
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.ops.step import Output, Step

SIDE, CLASSES = 17, 3


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits, images, labels, the valid mask and an embedding."""
    random = torch.Generator().manual_seed(5)
    logits = torch.randn(2, CLASSES, SIDE, SIDE, generator=random).requires_grad_()
    images = torch.randn(2, 3, SIDE, SIDE, generator=random)
    labels = torch.full((2, SIDE, SIDE), 255)
    labels[0, 3:5, 2:9], labels[1, 8:9, 4:12] = 1, 2
    valid = torch.ones(2, SIDE, SIDE, dtype=torch.bool)
    valid[1, 13:] = False
    return logits, images, labels, valid, torch.randn(2, 4, SIDE, SIDE, generator=random)


def test_each_function_is_its_part(batch: tuple[torch.Tensor, ...]) -> None:
    logits, images, labels, valid, embedding = batch
    output = Output(logits, logits=logits, features={"embedding": embedding})
    step = Step(images, labels, valid, output, lambda images: output, 255, lambda name: 0.0)
    found = {
        "partial_cross_entropy": sb.partial_cross_entropy(logits, labels),
        "entropy": sb.entropy(logits, valid=valid),
        "gated_crf": sb.gated_crf(logits, images, valid=valid),
        "dense_crf": sb.dense_crf(logits, images, valid=valid),
        "normalized_cut": sb.normalized_cut(logits, images, valid=valid),
        "tree_energy": sb.tree_energy(logits, images, labels, embedding, valid=valid),
    }
    for name, value in found.items():
        assert value.shape == ()
        assert torch.equal(value, LOSSES.get(name)()(step).value), name
        assert torch.autograd.grad(value, logits)[0].abs().sum() > 0


def test_partial_cross_entropy_is_torchs(batch: tuple[torch.Tensor, ...]) -> None:
    logits, _, labels, _, _ = batch
    expected = functional.cross_entropy(logits, labels, ignore_index=255)
    assert torch.allclose(sb.partial_cross_entropy(logits, labels), expected)
    moved = torch.where(labels == 255, 9, labels)
    assert torch.allclose(sb.partial_cross_entropy(logits, moved, ignore_index=9), expected)


def test_options_are_the_parts_own(batch: tuple[torch.Tensor, ...]) -> None:
    logits, images, labels, _, _ = batch
    assert sb.gated_crf(logits, images, rgb=1.0) != sb.gated_crf(logits, images)
    assert sb.tree_energy(logits, images, labels) != sb.tree_energy(logits, images, labels, stride=2)
    with pytest.raises(UserError, match=r"gated_crf.*raduis"):
        sb.gated_crf(logits, images, raduis=3)


def test_eigenspace_self_supervision_by_explicit_matrices() -> None:
    """KL of each row of P of the flipped image against P with rows and columns flipped (Eq. 8 and 9)."""
    random = torch.Generator().manual_seed(1)
    images = torch.randn(2, 3, SIDE, SIDE, generator=random, dtype=torch.float64)
    network = torch.nn.Conv2d(3, 8, 5, stride=4, padding=2, dtype=torch.float64)

    def walk(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        queries, keys = network(images).chunk(2, dim=1)
        return queries, keys

    def matrix(images: torch.Tensor) -> torch.Tensor:
        queries, keys = (maps.flatten(2) for maps in walk(images))
        return torch.softmax(queries.mT @ keys, dim=-1)

    flipped = torch.arange(25).view(5, 5).flip(1).flatten()
    ours, target = matrix(images)[:, flipped][:, :, flipped], matrix(images.flip(-1)).detach()
    divergence = (target * (target.log() - ours.log())).sum(dim=-1).mean()
    value = sb.self_supervision(images, walk, draw=0.0, transform="flip", trace=0.0)
    assert torch.allclose(value, divergence, atol=1e-6)
    parameters = list(network.parameters())
    for found, expected in zip(
        torch.autograd.grad(value, parameters), torch.autograd.grad(divergence, parameters), strict=True
    ):
        assert torch.allclose(found, expected, atol=1e-6)


def test_tensors_that_do_not_fit_are_refused(batch: tuple[torch.Tensor, ...]) -> None:
    logits, images, labels, valid, _ = batch
    with pytest.raises(ValueError, match="do not belong together"):
        sb.gated_crf(logits, images[..., 1:], valid=valid)
    with pytest.raises(ValueError, match="logits of shape"):
        sb.partial_cross_entropy(logits[:1], labels)
