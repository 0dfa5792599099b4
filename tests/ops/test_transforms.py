"""Transforms against explicit computing matrices and against what a flip-equivariant network sees."""

from __future__ import annotations

import pytest
import torch

from scribblebench.ops.cells import at_cells
from scribblebench.ops.transforms import Composition, Flip, Transform, Translation, choose

GRIDS = [(6, 6), (5, 7), (4, 9)]
TRANSFORMS: list[Transform] = [
    Flip(),
    Translation(2, "top"),
    Translation(2, "bottom"),
    Composition((Flip(), Translation(1, "bottom"))),
]


def flip_matrix(height: int, width: int) -> torch.Tensor:
    """T of a flip: blocks of anti-identity along the diagonal, one for each row of cells."""
    return torch.block_diag(*[torch.eye(width).flip(0)] * height)


def crop_matrix(height: int, width: int, shift: int, keep: str) -> torch.Tensor:
    """T_r of a crop: the first or the last rows of the identity."""
    kept = (height - shift) * width
    identity = torch.eye(height * width)
    return identity[:kept] if keep == "top" else identity[-kept:]


def computing_matrix(transform: Transform, height: int, width: int) -> torch.Tensor:
    match transform:
        case Flip():
            return flip_matrix(height, width)
        case Translation(shift, keep):
            return crop_matrix(height, width, shift, keep)
        case Composition((Flip(), Translation(shift, keep))):
            return crop_matrix(height, width, shift, keep) @ flip_matrix(height, width)
    raise AssertionError(transform)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_cells_select_what_the_computing_matrices_multiply_out(
    transform: Transform, grid: tuple[int, int]
) -> None:
    height, width = grid
    transition = torch.rand(height * width, height * width, generator=torch.Generator().manual_seed(0))
    rows = computing_matrix(transform, height, width)
    cells = transform.cells(height, width)
    assert torch.equal(transition[cells][:, cells], rows @ transition @ rows.T)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_cells_of_the_transformed_image_are_the_transformed_cells(transform: Transform) -> None:
    stride, height, width = 8, 7, 5
    images = torch.rand(2, 3, (height - 1) * stride + 1, (width - 1) * stride + 1)
    on_grid = transform(at_cells(images, height, width))
    assert torch.equal(at_cells(transform(images, stride), *on_grid.shape[-2:]), on_grid)
    by_index = at_cells(images, height, width).flatten(2)[..., transform.cells(height, width)]
    assert torch.equal(on_grid.flatten(2), by_index)


def test_translation_of_the_paper_crops_80_of_465_pixels() -> None:
    images = torch.arange(465.0).expand(1, 1, 465, 465).mT
    for number, rows in ((0.0, (0, 384)), (0.9, (80, 464))):
        crop = choose("translation", 59, 1 / 6, lambda name, number=number: number)(images, 8)
        assert (crop[0, 0, 0, 0].item(), crop[0, 0, -1, 0].item()) == rows
    coarser = choose("translation", 30, 1 / 6, lambda name: 0.0)
    assert coarser(images, 16).shape[-2] == 385


def test_random_is_one_of_the_two_by_named_draws() -> None:
    def drawn(transform: float, direction: float) -> Transform:
        return choose("random", 13, 1 / 6, {"transform": transform, "direction": direction}.__getitem__)

    assert drawn(0.49, 0.9) == Flip()
    assert drawn(0.5, 0.49) == Translation(2, "top")
    assert drawn(0.5, 0.5) == Translation(2, "bottom")


def test_both_composes_them() -> None:
    chosen = choose("both", 13, 1 / 6, lambda name: 0.0)
    assert chosen == Composition((Flip(), Translation(2, "top")))


def test_a_translation_that_leaves_nothing_says_so() -> None:
    with pytest.raises(ValueError, match="leaves nothing of 3 rows"):
        Translation(3, "top").cells(3, 3)
