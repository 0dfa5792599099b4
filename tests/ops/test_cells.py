"""Interpolation at single pixels against torch's upsampling of all of them."""

from __future__ import annotations

from fractions import Fraction

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from scribblebench.ops.cells import around_cells, between_cells, labels_of_cells

sides = st.integers(1, 7)
pixel_sides = st.integers(1, 25)


shares = st.sampled_from([0.0, 0.1, 1.0])


@settings(deadline=None)
@given(height=sides, width=sides, rows=pixel_sides, columns=pixel_sides, share=shares)
def test_single_pixels_are_those_of_the_upsampled_grid(
    height: int, width: int, rows: int, columns: int, share: float
) -> None:
    generator = torch.Generator().manual_seed(height * 1000 + rows)
    grid = torch.randn(2, 3, height, width, generator=generator, dtype=torch.float64, requires_grad=True)
    wanted = torch.rand(2, rows, columns, generator=generator) <= share
    ours = between_cells(grid, wanted)
    dense = interpolate(grid, (rows, columns), mode="bilinear", align_corners=True)
    theirs = dense.permute(0, 2, 3, 1)[wanted]
    # torch, too, works out the place of a pixel in single precision.
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    slope = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    for gradient in zip(*(torch.autograd.grad(v, grid, slope) for v in (ours, theirs)), strict=True):
        torch.testing.assert_close(*gradient, rtol=0, atol=1e-4)


@settings(deadline=None)
@given(height=sides, width=sides, rows=pixel_sides, columns=pixel_sides, seed=st.integers(0, 99))
def test_cells_take_the_class_of_most_strokes_nearest_to_them(
    height: int, width: int, rows: int, columns: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (2, rows, columns), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.8] = 255
    votes = torch.zeros(2, height, width, 3)
    for image, y, x in torch.argwhere(labels != 255).tolist():
        cell = []
        for pixel, side, count in ((y, rows, height), (x, columns, width)):
            places = [Fraction(i * (side - 1), max(1, count - 1)) for i in range(count)]
            cell.append(min(range(count), key=lambda i, at=places, p=pixel: (abs(at[i] - p), -i)))
        if rows == 1:
            cell[0] = 0
        if columns == 1:
            cell[1] = 0
        votes[image, *cell, labels[image, y, x]] += 1
    expected = torch.where(votes.amax(dim=-1) > 0, votes.argmax(dim=-1), 255)
    assert torch.equal(labels_of_cells(labels, height, width, 255), expected)


def test_around_a_cell_is_the_mean_of_its_square_and_mirrors() -> None:
    pixels = torch.randn(2, 3, 13, 17, generator=torch.Generator().manual_seed(0))
    found = around_cells(pixels, 4, 5)
    for i in range(4):
        for j in range(5):
            square = pixels[..., max(0, 4 * i - 2) : 4 * i + 3, max(0, 4 * j - 2) : 4 * j + 3]
            torch.testing.assert_close(found[..., i, j], square.mean(dim=(2, 3)))
    torch.testing.assert_close(around_cells(pixels.flip(-1), 4, 5), found.flip(-1))
    assert torch.equal(around_cells(pixels, 13, 17), pixels)
