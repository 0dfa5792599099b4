"""The walk's own parameters: similarity, values and the degree of the walk."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.ops.walk import Energies, diffuse


class Walk(nn.Module):
    """``f^L = alpha P v(f^{L-1}) + f^{L-1}`` with P = softmax(E) over rows (paper, Eq. 4, 5).

    A linear layer over cells is what the authors write as a 1 x 1 convolution.

    Args:
        width: channels of f.
        embedded: E from two learned projections and v a learned one; else E = f^T f and v(f) = f.
        alpha_start: initial alpha.
        energy_scale: factor of E.
        stride: the walk runs on every ``stride``-th cell, with bilinear steps there and back.
        uniform: P = 1/n: no projections.
    """

    def __init__(
        self, width: int, embedded: bool, alpha_start: float, energy_scale: float, stride: int, uniform: bool
    ) -> None:
        super().__init__()
        self.value = nn.Linear(width, width) if embedded else nn.Identity()
        self.query, self.key = None, None
        if embedded and not uniform:
            self.query, self.key = (nn.Linear(width, max(1, width // 8)) for _ in range(2))
        self.alpha = nn.Parameter(torch.tensor(alpha_start))
        self.energy_scale = energy_scale
        self.stride = stride
        self.uniform = uniform

    def energies(self, features: Tensor) -> Energies:
        """The walk's factors, at least float32 whatever autocast says: the energies are not scaled.

        Args:
            features: f^{L-1}, (batch, width, h, w).
        """
        with torch.autocast(features.device.type, enabled=False):
            coarse = self._coarse(features.to(torch.promote_types(features.dtype, torch.float32)))
            queries, keys = self._factors(_rows(coarse))
        height, width = coarse.shape[-2:]
        return Energies(queries, keys, height, width)

    def _factors(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        if self.uniform:
            nothing = rows.new_zeros(*rows.shape[:2], 1)
            return nothing, nothing
        if self.query is None or self.key is None:
            both = rows if self.energy_scale == 1 else rows * math.sqrt(self.energy_scale)
            return both, both
        return self.query(rows) * self.energy_scale, self.key(rows)

    def forward(self, features: Tensor, energies: Energies) -> Tensor:
        """Walk one step from f^{L-1} to f^L."""
        values = self.value(_rows(self._coarse(features)))
        walked = diffuse(energies, values).transpose(1, 2)
        walked = walked.reshape(len(features), -1, energies.height, energies.width)
        if self.stride > 1:
            walked = interpolate(walked, features.shape[-2:], mode="bilinear", align_corners=True)
        # In this order the sum keeps the memory layout of the features.
        return features + self.alpha * walked

    def _coarse(self, features: Tensor) -> Tensor:
        if self.stride == 1:
            return features
        size = [coarse_cells(side, self.stride) for side in features.shape[-2:]]
        return interpolate(features, size, mode="bilinear", align_corners=True)


def coarse_cells(cells: int, stride: int) -> int:
    """Count the cells of a side of the walk's grid that lie ``stride`` cells apart.

    >>> coarse_cells(59, 2)
    30
    """
    return (cells - 1) // stride + 1


def _rows(grid: Tensor) -> Tensor:
    """(batch, channels, h, w) to (batch, h * w, channels)."""
    return grid.flatten(2).transpose(1, 2)
