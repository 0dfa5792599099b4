"""Soft labels against cases solved by hand and against scipy's minimiser."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from scribblebench.ops.soft_labels import Contrast, SoftLabels, contrast


def random_problem(seed: int, smoothness: float, side: int = 5) -> SoftLabels:
    generator = torch.Generator().manual_seed(seed)
    predictions = torch.softmax(2 * torch.randn(2, 3, side, side, generator=generator).double(), dim=1)
    fixed = torch.rand(2, 1, side, side, generator=generator) < 0.1
    classes = torch.randint(0, 3, (2, 1, side, side), generator=generator)
    colours = torch.rand(2, 3, side, side, generator=generator).double()
    edges = contrast(colours, torch.rand(2, side, side, generator=generator) < 0.9)
    return SoftLabels(predictions, fixed, classes, edges, smoothness)


def two_pixels(prediction: float, smoothness: float) -> SoftLabels:
    """A stroke of class 0 beside a pixel whose prediction of class 0 is given."""
    predictions = torch.tensor([[0.5, prediction], [0.5, 1 - prediction]], dtype=torch.float64)
    edges = Contrast(
        torch.zeros(1, 1, 0, 2, dtype=torch.float64), torch.ones(1, 1, 1, 1, dtype=torch.float64)
    )
    fixed = torch.tensor([[[[True, False]]]])
    return SoftLabels(predictions.view(1, 2, 1, 2), fixed, torch.zeros_like(fixed).long(), edges, smoothness)


# With y the label's share of class 0 and s the prediction's, E'(y) = (1 - 2 s) / (s y + (1 - s)(1 - y))
# - smoothness (1 - y) / (y (y^2 + (1 - y)^2)): 0 at y = 1/2 for a smoothness of 1 - 2 s; without smoothness
# E falls towards the likelier class, and without a preference towards the stroke's.
@pytest.mark.parametrize(
    ("prediction", "smoothness", "share"),
    [(0.0, 1.0, 0.5), (0.2, 0.6, 0.5), (0.4, 0.0, 0.0), (0.6, 0.0, 1.0), (0.5, 3.0, 1.0)],
)
def test_two_pixels_solved_by_hand(prediction: float, smoothness: float, share: float) -> None:
    labels = two_pixels(prediction, smoothness).descend(3000)
    assert labels[0, :, 0, 0].tolist() == [1, 0]
    assert labels[0, 0, 0, 1].item() == pytest.approx(share, abs=1e-2)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), smoothness=st.sampled_from([0.0, 0.3, 1.0, 20.0]))
def test_energy_falls_at_every_step_and_labels_stay_distributions(seed: int, smoothness: float) -> None:
    problem = random_problem(seed, smoothness)
    labels = [problem.descend(steps) for steps in range(8)]
    energies = torch.stack([problem.energy(y) for y in labels])
    assert (energies.diff() <= 1e-9).all()
    torch.testing.assert_close(labels[-1].sum(dim=1), torch.ones(2, 5, 5, dtype=torch.float64))
    kept = problem.fixed.expand_as(labels[0])
    assert torch.equal(labels[-1][kept], problem.start()[kept])


def test_steps_are_down_the_gradient_of_the_energy() -> None:
    problem = random_problem(4, 2.0)
    logits = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    labels = torch.softmax(logits, dim=1)
    torch.testing.assert_close(problem.slope(labels), torch.autograd.grad(problem.energy(labels), logits)[0])
    assert torch.autograd.gradcheck(lambda u: problem.energy(torch.softmax(u, dim=1)), logits)


def test_descent_ends_no_higher_than_scipys_minimiser() -> None:
    problem = random_problem(2, 1.0)
    start = problem.start().clamp(min=1e-6).log()

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = torch.from_numpy(flat).view_as(start).requires_grad_()
        labels = torch.where(problem.fixed, problem.start(), torch.softmax(logits, dim=1))
        energy = problem.energy(labels)
        return energy.item(), torch.autograd.grad(energy, logits)[0].flatten().numpy()

    found = minimize(objective, start.flatten().numpy(), jac=True, method="L-BFGS-B")
    assert problem.energy(problem.descend(2000)).item() < found.fun + 0.05


def test_contrast_is_one_half_power_of_e_at_the_mean_difference() -> None:
    colours = torch.tensor([[[[0.0, 1.0, 1.0, 9.0]]]])
    counted = torch.tensor([[[True, True, True, False]]])
    # Squares 1 and 0, mean 1/2; the third edge ends outside.
    wanted = torch.tensor([np.exp(-1), 1.0, 0.0], dtype=torch.float32)
    torch.testing.assert_close(contrast(colours, counted).across.flatten(), wanted)
