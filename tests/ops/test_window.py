"""The windowed kernel against every pair of pixels written out."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from scribblebench.ops.window import GaussianWindow


def dense(colours: Tensor, counted: Tensor, radius: int, xy: float) -> Tensor:
    """K of one image as a matrix."""
    height, width = counted.shape
    place = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")).flatten(1).T
    offset = place[:, None] - place
    colour = torch.cdist(colours.flatten(1).T, colours.flatten(1).T).square()
    kernel = torch.exp(-offset.square().sum(-1) / (2 * xy**2) - colour / 2)
    near = (offset.abs().amax(-1) <= radius) & (offset.abs().sum(-1) > 0)
    return kernel * near * counted.flatten() * counted.flatten()[:, None]


@settings(deadline=None, max_examples=20)
@given(height=st.integers(1, 6), width=st.integers(1, 6), radius=st.integers(1, 7), seed=st.integers(0, 99))
def test_disagreement_and_gradient_are_those_of_the_matrix(
    height: int, width: int, radius: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    colours, logits = (torch.randn(2, 3, height, width, generator=generator).double() for _ in range(2))
    counted = torch.rand(2, height, width, generator=generator) < 0.8
    probabilities = torch.softmax(logits, dim=1).requires_grad_()
    wanted = torch.zeros((), dtype=torch.float64)
    for image in range(2):
        kernel, p = dense(colours[image], counted[image], radius, 2.5), probabilities[image].flatten(1)
        wanted = wanted + (kernel * (1 - p.T @ p)).sum()
    ours = GaussianWindow(colours, counted, radius, 2.5).disagreement(probabilities)
    torch.testing.assert_close(ours, wanted)
    gradients = [torch.autograd.grad(value, probabilities)[0] for value in (ours, wanted)]
    torch.testing.assert_close(*gradients)
