"""The walk's own parameters: similarity, values and the degree of the walk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.ops.similarity import bilateral_factors, cosine, without_mean
from scribblebench.ops.walk import Energies, diffuse

Similarity = Literal["embedded", "inner_product", "posterior", "image"]
Value = Literal["identity", "linear"]


@dataclass(frozen=True)
class Form:
    """What a walk is made of; ``heads.random_walk`` says what each of these means."""

    similarity: Similarity
    value: Value | None
    uniform: bool
    centre: bool
    normalise: Literal["none", "cosine"]
    energy_scale: float
    xy: float
    rgb: float
    alpha: Literal["learned", "fixed"]
    alpha_start: float
    walk_stride: int

    @property
    def learns_values(self) -> bool:
        """Whether v is a learned map; where nothing is said, it is if queries and keys are."""
        return (self.value or ("linear" if self.similarity == "embedded" else "identity")) == "linear"

    @property
    def learns_similarity(self) -> bool:
        """Whether queries and keys are learned."""
        return self.similarity == "embedded" and not self.uniform


class Walk(nn.Module):
    """``f^L = alpha P v(f^{L-1}) + f^{L-1}`` with P = softmax(E) over rows (paper, Eq. 4, 5).

    A linear layer over cells is what the authors write as a 1 x 1 convolution.

    Args:
        width: channels of f.
        form: what E, v and alpha are.
    """

    alpha: Tensor

    def __init__(self, width: int, form: Form) -> None:
        super().__init__()
        self.form = form
        self.value = nn.Linear(width, width) if form.learns_values else nn.Identity()
        self.query, self.key = None, None
        if form.learns_similarity:
            self.query, self.key = (nn.Linear(width, max(1, width // 8)) for _ in range(2))
        alpha = torch.tensor(form.alpha_start)
        if form.alpha == "learned":
            self.alpha = nn.Parameter(alpha)
        else:
            self.register_buffer("alpha", alpha)

    def energies(self, compared: Tensor) -> Energies:
        """The walk's factors, at least float32 whatever autocast says: the energies are not scaled.

        Args:
            compared: what makes two cells alike, (batch, channels, h, w): f^{L-1}, the classes' posteriors
                for ``posterior``, or colours from 0 to 255 for ``image``.
        """
        with torch.autocast(compared.device.type, enabled=False):
            coarse = _coarse(compared.to(torch.promote_types(compared.dtype, torch.float32)), self._stride)
            queries, keys = self._scaled(*self._factors(coarse))
        return Energies(queries, keys, *coarse.shape[-2:])

    def _factors(self, coarse: Tensor) -> tuple[Tensor, Tensor]:
        if self.form.uniform:
            nothing = coarse.new_zeros(len(coarse), coarse[0, 0].numel(), 1)
            return nothing, nothing
        if self.form.similarity == "image":
            return bilateral_factors(coarse, self.form.xy, self.form.rgb)
        rows = _rows(coarse)
        if self.query is None or self.key is None:
            return rows, rows
        return self.query(rows), self.key(rows)

    def _scaled(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Centre, normalise and scale; what is one tensor stays one, but for the centring."""
        symmetric = queries is keys and not self.form.centre
        if self.form.centre:
            queries = without_mean(queries)
        if self.form.normalise == "cosine":
            queries, keys = cosine(queries), cosine(keys)
        scale = self.form.energy_scale
        if symmetric:
            both = queries if scale == 1 else queries * math.sqrt(scale)
            return both, both
        return queries * scale, keys

    def forward(self, features: Tensor, energies: Energies) -> Tensor:
        """Walk one step from f^{L-1} to f^L."""
        walked = walk_once(features, energies, self.value, self._stride)
        # In this order the sum keeps the memory layout of the features.
        return features + self.alpha * walked

    @property
    def _stride(self) -> int:
        return self.form.walk_stride


def walk_once(features: Tensor, energies: Energies, value: nn.Module, stride: int) -> Tensor:
    """``P v(f)`` on every ``stride``-th cell, with bilinear steps there and back.

    Args:
        features: f, (batch, channels, h, w).
        energies: of the coarser grid.
        value: v, of rows of channels.
        stride: cells of the grid from one cell of the walk's to the next.
    """
    values = value(_rows(_coarse(features, stride)))
    walked = diffuse(energies, values).transpose(1, 2)
    walked = walked.reshape(len(features), -1, energies.height, energies.width)
    if stride > 1:
        walked = interpolate(walked, features.shape[-2:], mode="bilinear", align_corners=True)
    return walked


def coarse_cells(cells: int, stride: int) -> int:
    """Count the cells of a side of the walk's grid that lie ``stride`` cells apart.

    >>> coarse_cells(59, 2)
    30
    """
    return (cells - 1) // stride + 1


def _coarse(grid: Tensor, stride: int) -> Tensor:
    if stride == 1:
        return grid
    size = [coarse_cells(side, stride) for side in grid.shape[-2:]]
    return interpolate(grid, size, mode="bilinear", align_corners=True)


def _rows(grid: Tensor) -> Tensor:
    """(batch, channels, h, w) to (batch, h * w, channels)."""
    return grid.flatten(2).transpose(1, 2)
