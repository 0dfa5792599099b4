"""Variation and eigenvectors against explicit matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from scribblebench.core.errors import UserError
from scribblebench.ops.hard_eigenspace import eigenspace
from scribblebench.ops.step import Output
from scribblebench.ops.transforms import Flip, Transform, Translation, computing_matrices
from scribblebench.ops.walk import Energies
from scribblebench.training.looks import centre
from scribblebench.training.probe import leading_eigenvectors
from scribblebench.training.variation import means, pick, variation

UNIT, ROWS, COLUMNS = 4, 7, 5


class Small(nn.Module):
    """A strided convolution and an explicit walk on every ``walk_stride``-th cell."""

    def __init__(self, walk_stride: int = 1, walk: bool = True) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.kernel, self.query, self.key = (
            torch.randn(*shape, generator=generator) for shape in ((6, 3, 5, 5), (6, 4), (6, 4))
        )
        self.walk_stride, self.walk = walk_stride, walk

    def forward(self, images: Tensor, until: str) -> Output:
        before = conv2d(images, self.kernel / 9, stride=UNIT // self.walk_stride, padding=2).relu()
        coarse = before[..., :: self.walk_stride, :: self.walk_stride]
        rows = coarse.flatten(2).mT
        energies = Energies(rows @ self.query, rows @ self.key, *coarse.shape[-2:])
        after = before * 0.5 + before.mean(dim=(2, 3), keepdim=True)
        return Output(before, energies if self.walk else None, None, after)


def image() -> Tensor:
    shape = (1, 3, (ROWS - 1) * UNIT + 1, (COLUMNS - 1) * UNIT + 1)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def explicit(energies: Energies) -> Tensor:
    return (energies.queries[0] @ energies.keys[0].T).softmax(dim=1)


@pytest.mark.parametrize("transform", [Flip(), Translation(2, "top"), Translation(2, "bottom")])
def test_p_varies_as_the_computing_matrices_say(transform: Transform) -> None:
    network, pixels = Small(), image()
    left, right = (matrix.float() for matrix in computing_matrices(transform, ROWS, COLUMNS))
    assert torch.equal(right, left.T)
    moved = left @ explicit(network(pixels, "after").energies) @ right
    moved = moved / moved.sum(dim=1, keepdim=True)  # select, then renormalise
    other = explicit(network(transform(pixels, UNIT), "after").energies)
    found = variation(network, pixels, transform, UNIT)["eigenspace"]
    distance = (moved - other).abs().sum(dim=1) / 2  # of two distributions, in total variation
    torch.testing.assert_close(found.cells.flatten(), distance)
    assert found.overall == pytest.approx(distance.mean().item(), rel=1e-5)
    ratios = (moved - other).abs() / (moved + other)
    assert found.elementwise == pytest.approx(ratios.mean().item(), rel=1e-5)
    assert 0 < found.overall < 1


@pytest.mark.parametrize("walk_stride", [1, 2])
def test_representations_vary_as_the_formula_says(walk_stride: int) -> None:
    network, pixels = Small(walk_stride), image()
    first = network(pixels, "after").before[0]
    other = network(pixels[..., 2 * UNIT :, :], "after").before[0]
    moved = first[:, 2 * walk_stride :]
    found = variation(network, pixels, Translation(2, "bottom"), UNIT)["before"]
    expected = (moved - other).abs().sum() / (moved.abs().sum() + other.abs().sum())
    assert found.overall == pytest.approx(expected.item(), rel=1e-5)
    either = (moved != 0) | (other != 0)  # after a ReLU many entries are 0 in both
    assert 0 < either.float().mean() < 1
    ratios = ((moved - other).abs() / (moved + other))[either]
    assert found.elementwise == pytest.approx(ratios.mean().item(), rel=1e-5)


def test_nothing_varies_in_a_symmetric_image() -> None:
    network, pixels = Small(), image()
    network.kernel = network.kernel + network.kernel.flip(3)
    found = variation(network, pixels, Flip(), UNIT)
    assert max(one.overall for one in found.values()) < 1e-6
    assert means([found, found])["before"]["variation"] == pytest.approx(found["before"].overall)


def test_a_network_without_a_walk_is_refused() -> None:
    with pytest.raises(UserError, match="method with a walk"):
        variation(Small(walk=False), image(), Flip(), UNIT)


def test_direction_is_fixed_by_the_images_name() -> None:
    picked = {pick("translation", f"2007_{i:06}", 30) for i in range(20)}
    assert picked == {Translation(5, "top"), Translation(5, "bottom")}
    assert pick("translation", "2007_000032", 30) == pick("translation", "2007_000032", 30)


@pytest.mark.parametrize("zoom", [0.5, 1.0, 1.3])
@pytest.mark.parametrize("side", [50, 97, 375, 470, 500])
def test_windows_fit_the_grid(side: int, zoom: float) -> None:
    part, seen = centre(side, unit=16, largest=465, zoom=zoom)
    length = part.stop - part.start
    assert (seen - 1) % 16 == 0
    assert min(round(side * zoom), 465) - 16 < seen <= min(round(side * zoom), 465)
    assert abs(length * zoom - seen) <= max(1, zoom)
    assert part.start >= 0
    assert abs(part.start - (side - part.stop)) <= 1


def test_eigenvectors_of_a_symmetric_walk_are_those_of_the_decomposition() -> None:
    factors = torch.randn(1, 42, 3, generator=torch.Generator().manual_seed(5)) * 0.7
    energies = Energies(factors, factors, 6, 7)
    oracle = eigenspace(energies, 4)
    for (value, vector), k in zip(leading_eigenvectors(energies, 3), (1, 2, 3), strict=True):
        assert vector.shape == (6, 7)
        assert np.abs(vector).max() == pytest.approx(1)
        assert value == pytest.approx(oracle.values[0, k].item(), abs=1e-5)
        ours = vector.flatten() / np.linalg.norm(vector)
        assert abs(ours @ oracle.vectors[0, :, k].numpy()) == pytest.approx(1, abs=1e-4)


def test_complex_pairs_are_shown_once() -> None:
    """A walk in a circle has the eigenvalues exp(2 pi i k / n): pairs but for 1 and -1."""
    cells = 12
    queries = 60 * torch.eye(cells)[None]
    keys = torch.eye(cells).roll(1, dims=0)[None]
    found = leading_eigenvectors(Energies(queries, keys, 3, 4), 6)
    expected = sorted(np.cos(2 * np.pi * np.arange(1, 7) / cells))
    assert sorted(value for value, _ in found) == pytest.approx(expected, abs=1e-5)


def test_many_cells_take_the_iterative_way_to_the_same_values() -> None:
    generator = torch.Generator().manual_seed(6)
    factors = [torch.randn(1, 150, 4, generator=generator) for _ in range(2)]
    energies = Energies(factors[0], factors[1], 10, 15)
    matrix = energies.matrix()[0].double().numpy()
    values = np.linalg.eigvals(matrix)
    rest = np.delete(values, np.argmin(np.abs(values - 1)))
    upper = rest[rest.imag > -1e-6]
    expected = upper[np.argsort(-np.abs(upper))][:3].real
    found = leading_eigenvectors(energies, 3)
    assert [value for value, _ in found] == pytest.approx(expected, abs=1e-6)
    again = leading_eigenvectors(energies, 3)
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(found, again, strict=True))
