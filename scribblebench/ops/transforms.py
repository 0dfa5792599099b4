"""The transforms of self-supervision: what each does to images, to maps and to the walk's cells.

A transform selects cells of the grid, in some order. The paper writes that as computing matrices,
``T(P) = T_r P T_c`` (Eq. 9): ``T_r`` is a selection of rows of the identity and ``T_c`` its transpose, so the
indices of the selected cells say the same, and nothing of size n x n is ever multiplied.

Images must measure ``k * stride + 1`` on each side, with the centres of cells at multiples of ``stride``:
then a transformed image has its cells where the transformed cells of the image are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

Choice = Literal["flip", "translation", "random", "both"]
Draw = Callable[[str], float]


@dataclass(frozen=True)
class Transform:
    """A selection of cells."""

    def __call__(self, maps: Tensor, stride: int = 1) -> Tensor:
        """Transform maps.

        Args:
            maps: (..., height, width): images where ``stride`` is their pixels per cell, representations on
                the grid of cells where it is 1.
            stride: pixels of ``maps`` per cell.
        """
        raise TypeError(f"{type(self).__name__} does not say what it does to maps")

    def cells(self, height: int, width: int, device: torch.device | None = None) -> Tensor:
        """Row-major indices of the cells kept on a grid, in their new order, long (m,).

        >>> Flip().cells(2, 3)
        tensor([2, 1, 0, 5, 4, 3])
        """
        index = torch.arange(height * width, device=device).view(height, width)
        return self(index).flatten()


@dataclass(frozen=True)
class Flip(Transform):
    """Horizontal flip: a permutation of cells, its own inverse."""

    def __call__(self, maps: Tensor, stride: int = 1) -> Tensor:
        """Reverse each row."""
        return maps.flip(-1)


@dataclass(frozen=True)
class Translation(Transform):
    """Vertical translation as the authors do it: a crop that leaves ``shift`` rows of cells out of view.

    Attributes:
        shift: rows of cells out of view.
        keep: which end of the image stays in view.
    """

    shift: int
    keep: Literal["top", "bottom"]

    def __call__(self, maps: Tensor, stride: int = 1) -> Tensor:
        """Crop ``shift * stride`` rows from one end.

        Raises:
            ValueError: nothing would stay in view.
        """
        start, length = 0, maps.shape[-2] - self.shift * stride
        if length < 1:
            raise ValueError(f"a shift of {self.shift} cells leaves nothing of {maps.shape[-2]} rows")
        if self.keep == "bottom":
            start = self.shift * stride
        return maps.narrow(-2, start, length)


@dataclass(frozen=True)
class Composition(Transform):
    """One transform after another."""

    parts: tuple[Transform, ...]

    def __call__(self, maps: Tensor, stride: int = 1) -> Tensor:
        """Apply each in turn."""
        for part in self.parts:
            maps = part(maps, stride)
        return maps


def translation(height: int, share: float, draw: Draw) -> Translation:
    """Draw a vertical translation: its direction is random, its length is not.

    Args:
        height: rows of the grid.
        share: share of the image's height that leaves the view, rounded to whole cells, at least one.
        draw: one uniform number by name.

    With the default sixth, 465 pixels at stride 8 lose the authors' 80:

    >>> translation(59, 1 / 6, lambda name: 0.0)
    Translation(shift=10, keep='top')
    """
    return Translation(max(1, round(share * (height - 1))), "top" if draw("direction") < 0.5 else "bottom")


def _random(height: int, share: float, draw: Draw) -> Transform:
    return Flip() if draw("transform") < 0.5 else translation(height, share, draw)


_CHOICES: Mapping[Choice, Callable[[int, float, Draw], Transform]] = MappingProxyType(
    {
        "flip": lambda height, share, draw: Flip(),
        "translation": translation,
        "random": _random,
        "both": lambda height, share, draw: Composition((Flip(), translation(height, share, draw))),
    }
)


def choose(choice: Choice, height: int, share: float, draw: Draw) -> Transform:
    """Pick the transform of one step.

    Args:
        choice: ``random`` is the flip or the translation, one per batch as in the authors' code; ``both`` is
            one after the other.
        height: rows of the grid.
        share: share of the height that a translation takes out of view.
        draw: one uniform number of this step, by name.
    """
    return _CHOICES[choice](height, share, draw)


def computing_matrices(transform: Transform, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Write a transform as the T_r and T_c of Eq. 9: matrices of 0 and 1, for figures and tests.

    >>> computing_matrices(Flip(), 1, 2)[0].tolist()
    [[0, 1], [1, 0]]
    """
    rows = torch.eye(height * width, dtype=torch.uint8)[transform.cells(height, width)]
    return rows, rows.mT
