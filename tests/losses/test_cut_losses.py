"""Dense CRF and normalized cut against their formulas, with the lattice and the kernel as matrices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.losses.dense_crf import DenseCrf
from scribblebench.losses.normalized_cut import NormalizedCut
from scribblebench.ops.bilateral import Bilateral
from scribblebench.ops.lattice import filter as lattice_filter
from scribblebench.ops.step import Step

XY, RGB = 0.4, 60.0


@pytest.fixture
def step(make_step: Callable[..., Step], network: nn.Module) -> Step:
    """A step in float64 whose images are smooth, so that pixels have neighbours."""
    network.double()
    step = make_step()
    smooth = interpolate(step.images[..., ::12, ::12], step.labels.shape[-2:], mode="bicubic")
    return dataclasses.replace(step, images=smooth * step.valid[:, None])


def half(step: Step, image: int) -> tuple[Tensor, Tensor]:
    """Probabilities (n, classes) and features (n, 5) of one image's valid pixels at half the resolution."""
    p = interpolate(torch.softmax(step.logits, dim=1), scale_factor=0.5, mode="bilinear")[image]
    valid = interpolate(step.valid[:, None].float(), scale_factor=0.5)[image, 0] > 0
    pixels = interpolate(step.images, scale_factor=0.5)[image]
    scale, shift = (torch.tensor(v).view(3, 1, 1) for v in ((0.229, 0.224, 0.225), (0.485, 0.456, 0.406)))
    colours = 255 * (pixels * scale + shift)[:, valid].T / RGB
    return p[:, valid].T, torch.cat([valid.nonzero() / (XY * 24), colours], dim=1)


def as_matrix(features: Tensor) -> Tensor:
    return lattice_filter(torch.eye(len(features), dtype=features.dtype), features)


def exact(features: Tensor) -> Tensor:
    return torch.exp(-torch.cdist(features, features).square() / 2)


def dense_crf(step: Step, kernel: Callable[[Tensor], Tensor]) -> Tensor:
    apart, total = [], []
    for image in range(2):
        p, features = half(step, image)
        matrix = kernel(features)
        apart.append(matrix.sum() - torch.einsum("ik,ij,jk->", p, matrix, p))
        total.append(matrix.sum())
    return torch.stack(apart).sum() / torch.stack(total).sum()


def normalized_cut(step: Step, kernel: Callable[[Tensor], Tensor]) -> Tensor:
    values = []
    for image in range(2):
        p, features = half(step, image)
        matrix = kernel(features)
        degree = matrix.sum(dim=1)
        values += [1 - (p[:, k] @ matrix @ p[:, k]) / (degree @ p[:, k]) for k in range(p.shape[1])]
    return torch.stack(values).sum() / 2


@pytest.mark.parametrize(
    ("loss", "formula"), [(DenseCrf(XY, RGB), dense_crf), (NormalizedCut(XY, RGB), normalized_cut)]
)
def test_value_and_gradient_are_those_of_the_formula(
    loss: DenseCrf | NormalizedCut,
    formula: Callable[..., Tensor],
    step: Step,
    network: nn.Module,
) -> None:
    value, wanted = loss(step).value, formula(step, as_matrix)
    torch.testing.assert_close(value, wanted, rtol=1e-6, atol=1e-9)
    weights = [network.classifier.weight, network.trunk.weight]
    for got, expected in zip(
        torch.autograd.grad(value, weights, retain_graph=True),
        torch.autograd.grad(wanted, weights, retain_graph=True),
        strict=True,
    ):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-9)
    # The lattice's kernel is about half of the Gaussian, which the losses' quotients take out.
    torch.testing.assert_close(value, formula(step, exact), rtol=0.05, atol=0.0)


def test_a_perfect_cut_is_zero_and_a_class_of_its_own_costs_nothing_more(step: Step) -> None:
    images = torch.zeros_like(step.images)
    images[..., 24:] = 50.0
    valid = torch.ones_like(step.valid)
    p = torch.zeros(2, 4, 49, 49, dtype=torch.float64)
    p[:, 0, :, :24] = p[:, 2, :, 24:] = 1
    sums = Bilateral(XY, RGB, 1).sums_of(p, images, valid)
    torch.testing.assert_close(sums.agreement, sums.degree)
    torch.testing.assert_close(sums.agreement.sum(dim=1), sums.total)
    assert (sums.agreement > 0).tolist() == [[True, False, True, False]] * 2


def test_an_image_of_nothing_but_padding_adds_nothing(step: Step) -> None:
    padded = dataclasses.replace(step, valid=step.valid.clone(), memo={})
    padded.valid[1] = False
    first = Bilateral(XY, RGB, 2).sums(step)
    second = Bilateral(XY, RGB, 2).sums(padded)
    torch.testing.assert_close(second.agreement[0], first.agreement[0])
    assert second.agreement[1].tolist() == [0, 0, 0, 0]
    value = DenseCrf(XY, RGB)(padded).value
    torch.testing.assert_close(value, 1 - first.agreement[0].sum() / first.total[0])
    assert torch.isfinite(NormalizedCut(XY, RGB)(padded).value)


def test_two_losses_of_one_kernel_filter_once(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    whole = Bilateral.sums_of
    monkeypatch.setattr(Bilateral, "sums_of", lambda *given: calls.append(given) or whole(*given))
    (DenseCrf()(step).value + NormalizedCut()(step).value).backward()
    assert len(calls) == 1
    NormalizedCut(xy=0.3)(step)
    assert len(calls) == 2
