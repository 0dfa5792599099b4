"""The hard eigenspace: what it is, and that the soft form agrees with it on what is equal."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from scribblebench.ops.eigenspace import compare
from scribblebench.ops.hard_eigenspace import compare_flipped, eigenspace, flipped_back, squared_sines
from scribblebench.ops.transforms import Flip
from scribblebench.ops.walk import Energies


def factors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def symmetric(height: int, width: int, seed: int) -> Energies:
    features = factors(1, height * width, 3, seed=seed)
    return Energies(features, features, height, width)


def flipped(energies: Energies) -> Energies:
    cells = Flip().cells(energies.height, energies.width)
    features = energies.queries[:, cells]
    return Energies(features, features, energies.height, energies.width)


def test_hard_eigenspace_is_the_spectrum_of_p() -> None:
    energies = symmetric(4, 5, seed=0)
    space = eigenspace(energies, leading=20)
    torch.testing.assert_close(energies.matrix() @ space.vectors, space.vectors * space.values[:, None, :])
    torch.testing.assert_close(space.values.sum(), energies.matrix()[0].trace())
    torch.testing.assert_close(space.values[:, 0], torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(space.vectors[0, :, 0].abs(), torch.full((20,), 20**-0.5, dtype=torch.float64))


def test_distance_is_that_of_the_principal_angles_and_of_the_projectors() -> None:
    """Both from the eigenvectors numpy finds of P itself, asymmetric as it is, on all cells flipped back."""
    energies, target = symmetric(4, 5, seed=0), symmetric(4, 5, seed=1)
    order = np.arange(20).reshape(4, 5)[:, ::-1].ravel()
    spaces = []
    for matrix in (energies.matrix()[0].numpy(), target.matrix()[0].numpy()[np.ix_(order, order)]):
        values, vectors = np.linalg.eig(matrix)
        spaces.append(vectors[:, np.argsort(-values.real)].real)
    found = squared_sines(eigenspace(energies, 6), flipped_back(eigenspace(target, 6), 4, 5))[0]
    for k in range(1, 7):
        one, other = (space[:, :k] for space in spaces)
        sines = np.sin(scipy.linalg.subspace_angles(one, other)) ** 2
        assert found[k - 1].item() == pytest.approx(sines.mean(), abs=1e-9)
        difference = one @ np.linalg.pinv(one) - other @ np.linalg.pinv(other)
        assert 2 * k * found[k - 1].item() == pytest.approx((difference**2).sum(), abs=1e-9)
        assert compare_flipped(energies, target, k)[0].item() == pytest.approx(sines.mean(), abs=1e-9)


def test_soft_and_hard_eigenspace_vanish_together() -> None:
    energies, other = symmetric(4, 5, seed=0), symmetric(4, 5, seed=1)
    soft = compare(energies, flipped(energies), Flip())
    angles, values = compare_flipped(energies, flipped(energies), leading=4)
    assert max(soft.divergence.abs().max().item(), angles.item(), values.item()) < 1e-12
    assert compare(energies, flipped(other), Flip()).divergence.mean().item() > 0.1
    angles, values = compare_flipped(energies, flipped(other), leading=4)
    assert angles.item() > 0.1
    assert values.item() > 0.01


def test_hard_eigenspace_does_not_mind_repeated_eigenvalues() -> None:
    # Four equal groups far apart: eigenvalue 1 is repeated, and eigenvectors are an arbitrary basis.
    features = 5 * torch.eye(4, dtype=torch.float64).repeat_interleave(4, dim=0)[None]
    energies = Energies(features, features, 4, 4)
    angles, _ = compare_flipped(energies, flipped(energies), leading=4)
    assert angles.abs().item() < 1e-9
    # Eigenvalue 1 four times, then 0: only all four together span one space, or all sixteen.
    defined = eigenspace(energies, leading=16).defined[0]
    assert defined.nonzero().flatten().tolist() == [3, 15]


def test_spaces_that_float64_cannot_hold_are_not_defined() -> None:
    """One cell of a large norm draws all others, whose entries of an eigenvector vanish beside its own."""
    energies = symmetric(4, 5, seed=0)
    assert eigenspace(energies, leading=6).defined.all()
    energies.queries[0, 7] *= 20
    assert not eigenspace(energies, leading=6).defined.any()


def test_hard_eigenspace_refuses_an_asymmetric_walk() -> None:
    with pytest.raises(ValueError, match="inner_product"):
        eigenspace(Energies(factors(1, 6, 3), factors(1, 6, 3, seed=1), 2, 3), leading=2)
