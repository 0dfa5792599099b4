"""The walk's two numbers against scipy and numpy."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch
from torch import Tensor

from scribblebench.ops import tiles
from scribblebench.ops.diagnostics import diagnose
from scribblebench.ops.walk import Energies


def factors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_diagnostics_equal_scipy_entropy_and_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_CPU_TILE", 7 * 30)
    energies = Energies(factors(2, 30, 4), factors(2, 30, 4, seed=1), 5, 6)
    transition = energies.matrix().numpy()
    measured = diagnose(energies)
    entropy = scipy.stats.entropy(transition, axis=2).mean() / math.log(30)
    assert measured["row_entropy"] == pytest.approx(entropy, rel=1e-5)
    assert measured["diagonal"] == pytest.approx(transition.trace(axis1=1, axis2=2).mean(), rel=1e-5)
